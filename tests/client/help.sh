#!/bin/sh
# What xs says of itself: the manual page is good roff, and both it and bash's completion have every command.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

./xs help man >"$dir/xs.1"
./xs help completion >"$dir/completion"
./xs help | sed -n 's/^    \([a-z][a-z -]*[a-z]\)  .*/\1/p' | sed 's/  .*//' >"$dir/commands"
check 'help lists commands' test "$(wc -l <"$dir/commands")" -gt 90
silent() {
    said=$("$@" 2>&1) && [ -z "$said" ] || { echo "$said"; return 1; }
}
check 'groff has no warning about the manual page' silent groff -man -Tutf8 -ww -z "$dir/xs.1"
groff -man -Tascii -P-cbou -rLL=1000n "$dir/xs.1" | tr -s ' ' >"$dir/page"
every_is_in() {                         # every_is_in FILE BEFORE AFTER
    while read -r command; do
        grep -q -- "$2$command$3" "$1" || { echo "$command"; return 1; }
    done <"$dir/commands"
}
check 'the manual page has every command' every_is_in "$dir/page" '^ xs ' '\( .*\)*$'
check 'completion has every command' every_is_in "$dir/completion" "^\\(_xs_commands='\\)*" ':'

completed() {                           # completed WORD...: what bash offers for the last
    bash -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _xs; echo "${COMPREPLY[*]}"' "$dir/completion" xs "$@"
}
equals 'the beginning of a word' 'volume voucher' "$(completed vo)"
equals 'the second word' 'attach create delete detach list resize show snapshot' "$(completed volume '')"
equals 'options, after an argument too' '--image --json --size --snapshot' "$(completed volume create data --)"
equals 'an option that was begun' '--snapshot' "$(completed volume create data --size 1G --sn)"
equals 'what is no command has none' '' "$(completed nonsense '')"
tap_end
