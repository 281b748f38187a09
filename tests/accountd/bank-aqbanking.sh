#!/bin/sh
# Statements as AqBanking reads them, Debian's library for German banks. It knows camt.052.001.02, whose entries are laid out
# as those of camt.053.001.02 (the intraday report and the statement), so the message's name is changed for it.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

agrees() {      # agrees NAME: both read the same payments
    sed -e 's/camt\.053\.001\.02/camt.052.001.02/' -e 's/BkToCstmrStmt/BkToCstmrAcctRpt/' -e 's/<\(\/*\)Stmt>/<\1Rpt>/' \
        "$TOP/tests/accountd/funding/$1.xml" >"$dir/report.xml"
    rm -f "$dir/context"
    HOME=$dir aqbanking-cli -D "$dir/aq" import --importer=xml --profile=camt_052_001_02 -f "$dir/report.xml" -c "$dir/context"
    HOME=$dir aqbanking-cli -D "$dir/aq" export --exporter=csv --profile=full -c "$dir/context" >"$dir/export.csv"
    tests/accountd/camt-show "$TOP/tests/accountd/funding/$1.xml" >"$dir/shown.json"
    python3 "$TOP/tests/accountd/funding/aqbanking.py" "$dir/shown.json" "$dir/export.csv"
}
for name in matched-by-structured-reference unmatched two-entries-with-one-reference overlap-first no-references; do
    check "$name: AqBanking reads the same payments" agrees "$name"
done
tap_end
