#!/bin/sh
# Durable transfers beside SQLite alone, in turns on one disk (ledger.c says what both do): at least 5,000 a second in
# batches, and by themselves at least half of what SQLite alone commits. Figures in seconds: not part of ./test.
#
#     ledger.sh [ROUNDS]       on the disk of the build folder; BENCH_DIR is another
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
make -C "$BUILD" -s tests/bench/ledger
dir=$(mktemp -d "${BENCH_DIR:-$BUILD}/bench-ledger-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$BUILD/tests/bench/ledger" "$dir" "${1:-20}" >"$dir/figures"

value() {                               # value NAME COLUMN
    awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$dir/figures"
}
echo "# on $(df --output=fstype,source "$dir" | tail -n 1), SQLite $(sqlite3 --version | cut -d' ' -f1)"
printf '# %-34s %12s %14s %7s\n' 'durable transfers a second' ledger 'SQLite alone' share
awk '$1 == "alone" { $1 = "each its own commit" OFS $1 } $1 == "batched" { $1 = "a thousand to a commit" OFS $1 }
    $1 != "audit"' OFS='\t' "$dir/figures" | awk -F'\t' '{ printf "# %-34s %12d %14d %7.2f\n", $1, $3, $4, $3 / $4 }'
echo "# audit: $(value audit 2) entries a second, of $(value audit 3)"
check 'batched, at least 5,000 a second' [ "$(value batched 2)" -ge 5000 ]
check "alone, at least half of SQLite's" [ $(($(value alone 2) * 2)) -ge "$(value alone 3)" ]
tap_end
