#!/bin/sh
# How fast the money is, beside its goals (billing.c says what each measure does). Figures in milliseconds: not part of
# ./test. The goals are held against CPU time, which other load disturbs least, and disk syncs are said apart.
#
#     billing.sh               on the disk of the build folder; BENCH_DIR is another
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
make -C "$BUILD" -s tests/bench/billing client/xs-verify
dir=$(mktemp -d "${BENCH_DIR:-$BUILD}/bench-billing-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
measure() {
    "$BUILD/tests/bench/billing" "$@" >>figures 2>log || { cat log; exit 1; }
}
measure sample .
measure leaves .
measure month . 4
measure month . 96
measure guest guest.tar

figure() {                              # figure NAME COLUMN: wall 2, CPU 3
    awk -v name="$1" -v column="$2" '$1 == name && $2 !~ /[a-z]/ { print $column }' figures
}
extra() {                               # extra NAME peak|bytes
    awk -v name="$1" -v what="$2" '$1 == name && $2 == what { print $3 }' figures
}
timed() {                               # timed NAME COMMAND...: its wall and CPU time and its peak, as billing has them
    name=$1
    shift
    python3 - "$name" "$@" >>figures <<'END'
import resource, subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(sys.argv[1], round((time.monotonic() - start) * 1000, 3), round((u.ru_utime + u.ru_stime) * 1000, 3))
print(sys.argv[1], 'peak', u.ru_maxrss)
END
}
row() {                                 # row GOAL_MS NAME TEXT
    printf '# %-58s %9s %11s %11s\n' "$3" "$1" "$(figure "$2" 2)" "$(figure "$2" 3)"
}
within() {                              # within NAME MS
    awk -v got="$(figure "$1" 3)" -v most="$2" 'BEGIN { exit !(got != "" && got <= most) }'
}

timed verify "$BUILD/client/xs-verify" guest.tar
mkdir untar
tar -C untar -xf guest.tar
timed sha256sum sha256sum guest.tar
timed jq jq -c .index untar/records.jsonl

echo "# $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) CPUs," \
    "disk $(df --output=fstype,source . | tail -n 1), SQLite $(sqlite3 --version | cut -d' ' -f1)"
printf '# %-58s %9s %11s %11s\n' 'milliseconds' goal wall CPU
row 10 sample-tick "1,000 domains sampled, conserved and capped, each second"
row - sample-copy '  of that, the copy out of the stats page'
row 50 leaves '1,000 records and the signed head'
row - sync '  of that, one sync of this disk (three are made)'
row - charge '1,000 records charged, with tax'
row 60000 month-4 '1,000 accounts invoiced for a month, each of 4 records'
row 60000 month-96 '  each of 96 records: an invoice is made of kept sums'
row - bundle-4 "one of their bundles (4 records), papers too"
row - bundle 'a guest-month of 43,200 records put into its bundle'
row - journal '  of that, its ledger journal'
row 5000 verify 'xs-verify of that bundle'
row - sha256sum '  beside it: sha256sum of the same file'
row - jq "  beside it: jq -c .index of its records"
echo "# the bundle has $(wc -c <guest.tar) bytes, its journal $(extra journal bytes); peaks: making $(extra bundle peak) kB," \
    "verifying $(extra verify peak) kB"
check '1,000 domains a second in 1 % of a core' within sample-tick 10
check '1,000 records and their head in 50 ms' within leaves 50
check '1,000 accounts invoiced in a minute' within month-96 60000
check 'a guest-month verified in 5 s' within verify 5000
tap_end
