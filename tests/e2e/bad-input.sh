#!/bin/sh
# What a customer can get wrong: each is refused with a problem that names the field, and nothing is
# half made.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer bad 10.00
make() { call POST /v1/instances "$1"; }
refuses 'an unknown image' '422.*image' make '{"name": "a", "image": "windows", "flavor": "xs1"}'
refuses 'an unknown flavour' '422.*flavor' make '{"name": "a", "image": "tiny", "flavor": "huge"}'
refuses 'a name with odd characters' '422.*name' make '{"name": "a b;rm -rf /", "image": "tiny", "flavor": "xs1"}'
refuses 'a missing name' '422.*name' make '{"image": "tiny", "flavor": "xs1"}'
refuses 'truncated JSON' '400' make '{"name": "a", "image": '
refuses 'a negative time to quote' '422.*seconds' call POST /v1/quotes '{"flavor": "xs1", "seconds": -1}'
refuses 'a huge time to quote' '422.*seconds' call POST /v1/quotes '{"flavor": "xs1", "seconds": 99999999999999999999}'
head -c 10000000 /dev/zero | tr '\0' ' ' >"$E2E/big"
big() {
    code=$(curl -sS --cacert "$E2E/secret/conf/tls.crt" -H "Authorization: Bearer $KEY" -H 'Idempotency-Key: big' \
        -H 'Content-Type: application/json' --data-binary "@$E2E/big" -o "$E2E/answer" -w '%{http_code}' "$API/v1/instances") || :
    [ "$code" = 413 ] || { echo "answered $code"; return 1; }
}
check 'JSON of 10 MB: 413' big
mine=$KEY
KEY=xs_live_0000000000000000000000000000000000000000000000000000
refuses 'a wrong key' '401' call GET /v1/wallet
KEY=$mine
equals 'nothing was made' 0 "$(call GET /v1/instances | jq '.data | length')"
equals 'nothing is held' 0.00 "$(call GET /v1/wallet | jq -r .held)"

id=$(create private start-state small1) || id=none
customer stranger 1.00
refuses "another customer's instance" '404' call GET "/v1/instances/$id"
refuses "another customer's delete" '404' call DELETE "/v1/instances/$id"
KEY=$mine
equals 'the owner deletes it' succeeded "$(delete "$id")"

customer poor 0.000001
refuses 'too little money' '402.*insufficient_funds|insufficient' create broke tiny xs1
equals 'and nothing runs' 0 "$(call GET /v1/instances | jq '[.data[] | select(.state == "running")] | length')"
tap_end
