#!/bin/sh
# The main job: money, quote, guest, usage, bill, and the bill verified by stock tools; one
# changed byte anywhere is refused.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer thread 10.00
equals 'the wallet holds what was credited' 10.00 "$(call GET /v1/wallet | jq -r .balance)"
quote=$(call POST /v1/quotes '{"flavor": "xs1", "seconds": 3600}')
matches 'a quote has a price' '^[0-9]+\.[0-9]+$' "$(printf '%s' "$quote" | jq -r .total)"
check 'and lines that say for what' [ "$(printf '%s' "$quote" | jq '.lines | length')" -ge 2 ]

id=$(create thread tiny xs1) || id=none
matches 'an instance is created' '^ins_' "$id"
check 'it reports on its console' says "$id" 60 '^xs-guest: work 8 MiB'
held=$(call GET /v1/wallet | jq -r .held)
check "a hold of $held stands" [ "$held" != 0.00 ]
ns() { call GET "/v1/instances/$id/usage" | jq -r .guest_ns; }
first=$(ns)
grows() { [ "$(ns)" -gt "$first" ]; }
check "usage is live: it grows from $first ns" poll 20 grows
equals 'deleted' succeeded "$(delete "$id")"

check 'its last record is signed' poll 60 record_is "$id" end
check 'an invoice' poll 10 new_invoice
invoice_id=$(jq -r .id "$E2E/invoice")
bundle=$E2E/bundle.tar
curl -sS --cacert "$E2E/secret/conf/tls.crt" -H "Authorization: Bearer $KEY" -o "$bundle" "$API/v1/invoices/$invoice_id/bundle"
check 'a bundle' tar -tf "$bundle"
check 'xs-verify accepts it' "$STATE/bin/xs-verify" "$bundle"
rm -rf "$E2E/bundle"
mkdir "$E2E/bundle"
tar -xf "$bundle" -C "$E2E/bundle"
check 'the commands of its VERIFY.txt accept it' "$TOP/host/verify-stock" "$E2E/bundle"

bytes=$(stat -c %s "$bundle")
for part in 1 2 3 4 5 6 7 8; do
    at=$((bytes * part / 9))
    cp "$bundle" "$bundle.bad"
    byte=$(od -An -tu1 -j$at -N1 "$bundle" | tr -d ' ')
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$bundle.bad" bs=1 seek=$at conv=notrunc 2>/dev/null
    refuses "xs-verify refuses byte $at flipped" . "$STATE/bin/xs-verify" "$bundle.bad"
done
balance=$(call GET /v1/wallet)
equals 'nothing is held any more' 0.00 "$(printf '%s' "$balance" | jq -r .held)"
total=$(jq -r '.total // .total_nano' "$E2E/invoice")
equals 'the wallet fell by exactly the invoice' "$(awk "BEGIN { printf \"%.9f\", 10 - $total }")" \
    "$(printf '%s' "$balance" | jq -r .balance | awk '{ printf "%.9f", $1 }')"
tap_end
