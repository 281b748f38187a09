#!/bin/sh
# The hot paths of the money do not cost more instructions than they did: callgrind counts them (instructions.c) and
# each may have 3 % more than instructions.txt says. Time does not come into it, so a loaded machine says the same.
#
#     instructions.sh [--update]      --update writes today's counts: say in the commit why they rose
#
# The counts are of Debian 12's compiler and libraries (the file names their versions) on a CPU with AVX2. Where those
# changed and the code did not, update.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
counts=$TOP/tests/accountd/instructions.txt
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

toolchain() {
    for package in gcc libc6 libsqlite3-0 libjansson4 libsodium23 libssl3 libhpdf-2.3.0 valgrind; do
        dpkg-query -W -f='${Package} ${Version}\n' "$package"
    done | paste -sd, | sed 's/,/, /g'
}

# No ASLR and no environment: tables by address would fall otherwise, and the stack lies elsewhere. OpenSSL does without the
# CPU's own instructions, so that the counts are those of every machine.
env -i PATH="$PATH" OPENSSL_ia32cap=0:0 setarch -R valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" tests/accountd/instructions >"$dir/log" 2>&1 || {
    cat "$dir/log"
    exit 1
}
callgrind_annotate --inclusive=yes --threshold=100 --show=Ir "$dir/out" |
    sed -n 's/^ *\([0-9,]*\) ([ 0-9.]*%) .*instructions.c:hot_\([a-z]*\)\( .*\)\?$/\2 \1/p' | tr -d , | sort -u >"$dir/now"
if [ "${1:-}" = --update ]; then
    { echo "# path, instructions; $(toolchain)"; cat "$dir/now"; } >"$counts"
fi
echo "# now: $(toolchain)"
echo "# then: $(sed -n 's/.*instructions; //p' "$counts")"
equals 'every path is counted' "$(sed '/^#/d; s/ .*//' "$counts")" "$(cut -d' ' -f1 "$dir/now")"
while read -r path before; do
    now=$(awk -v path="$path" '$1 == path { print $2 }' "$dir/now")
    check "$path: ${now:=none} instructions, $before before" awk -v now="$now" -v before="$before" \
        'BEGIN { exit !(now > 0 && now <= before * 1.03) }'
done <<END
$(sed '/^#/d' "$counts")
END
tap_end
