#!/bin/sh
# The cap on a real host: 50 guests of five wallets and purses whose money ends within seconds. All are
# paused, each within 3 s of the end of its payer's money; then one is topped up and goes on where it stopped.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
# shellcheck disable=SC2034
RETRY=yes                               # lib.sh: accountd is restarted below

PAYERS='wallet-1 wallet-2 wallet-3 wallet-4 purse-1'
EACH=10
LAST=12                                 # seconds that what is left in a wallet pays for
STOP_MS=3000                            # what goals.md allows
work=$E2E/cap
rm -rf "$work"
mkdir -p "$work"

# accountd_conf FILTER: accountd with its configuration changed so. The file stands in for /etc/xs's by a bind mount,
# so it is written in place.
accountd_conf() {
    conf=$(jq -c "$1" "$E2E/conf/etc/accountd.conf" | tr -d "'")
    dom0 "echo '$conf' >/etc/xs/accountd.conf; sv -w 30 restart /run/sv/accountd" >/dev/null
    KEY=$OPERATOR
    poll 30 call GET /v1/admin/cap >/dev/null
}
# A launch sets a second aside, so that money can end soon after it; records are as rare as on a real host.
accountd_conf '.hold_s = 1 | .interval_s = 60'
restore() {
    accountd_conf . || :
}
trap restore EXIT

# ask NAME IMAGE FLAVOR [CMDLINE] [ORDER]: a new instance is asked for; its action and id go to the customer's list
ask() {
    body=$(jq -nc --arg n "$1" --arg i "$2" --arg f "$3" --arg c "${4-}" --arg o "${5-}" \
        '{name: $n, image: $i, flavor: $f} + (if $c == "" then {} else {cmdline: $c} end)
         + (if $o == "" then {} else {purchase_order_id: $o} end)')
    asked=$(call POST /v1/instances "$body") || return 1
    printf '%s' "$asked" | jq -r '"\(.action.id) \(.id)"' >>"$work/$owner.ids"
}

# all_up OWNER: each that was asked for runs
all_up() {
    while read -r action id; do
        [ "$(action_ends "$action" 120)" = succeeded ] || return 1
    done <"$work/$1.ids"
}

# in_state STATE: how many of the customer's instances are in it
in_state() {
    call GET '/v1/instances' | jq --arg s "$1" '[.data[] | select(.state == $s)] | length'
}

for owner in ticker $PAYERS; do
    customer "$owner" 0.100000000
    echo "$KEY" >"$work/$owner.key"
    echo "$CUSTOMER" >"$work/$owner.customer"
    order=''
    case $owner in
    purse*) order=$(call POST /v1/purchase_orders '{"name": "cap", "amount": "0.000900000"}' | jq -r .id) ;;
    esac
    echo "$order" >"$work/$owner.order"
    # A guest of which one can tell from outside whether it lives.
    [ "$owner" = ticker ] && {
        script=$(printf '(while :; do echo tick; sleep 1; done) &\n' | base64 -w0)
        ask tick tiny xs1 "xs.work=1 xs.run=$script"
        continue
    }
    for n in $(seq $EACH); do
        ask "$owner-$n" busy busy "" "$order"
    done
done
for owner in $PAYERS ticker; do
    KEY=$(cat "$work/$owner.key")
    check "$owner: its guests run" all_up "$owner"
done
KEY=$(cat "$work/ticker.key")
ticker=$(cut -d' ' -f2 "$work/ticker.ids")
ticks() { console "$ticker" | grep -c '^tick'; }
more_ticks() { [ "$(ticks)" -gt "$1" ]; }
check 'and one ticks' says "$ticker" 60 '^tick'

# drain OWNER: all of its wallet but what it burns in LAST seconds goes into an order of no instance
drain() {
    wallet=$(call GET /v1/wallet)
    spare=$(printf '%s' "$wallet" | jq -r --argjson s $LAST \
        '((.available | tonumber) - (.burn_per_hour | tonumber) / 3600 * $s) * 1e9 | floor | . / 1e9 | tostring')
    spare=$(printf '%.9f' "$spare")
    call POST /v1/purchase_orders "{\"name\": \"elsewhere\", \"amount\": \"$spare\"}" >/dev/null
}
burns() { [ "$(call GET /v1/wallet | jq -r '.burn_per_hour | tonumber > 0')" = true ]; }
for owner in wallet-1 wallet-2 wallet-3 wallet-4 ticker; do
    KEY=$(cat "$work/$owner.key")
    check "$owner: the wallet says what it burns" poll 20 burns
    check "$owner: there is money for $LAST s" drain
done
is_out() { [ "$(in_state billing_suspended)" = "$(wc -l <"$work/$owner.ids")" ]; }
for owner in $PAYERS ticker; do
    KEY=$(cat "$work/$owner.key")
    check "$owner: all of its guests are suspended" poll 90 is_out
    equals "$owner: and it is told so" 1 \
        "$(call GET '/v1/alerts?standing=true' | jq '[.data[] | select(.kind == "suspended")] | length')"
done

KEY=$OPERATOR
measured() { [ "$(call GET /v1/admin/cap | jq '.stops >= 51')" = true ]; }
check 'each stop is measured' poll 20 measured
call GET /v1/admin/cap >"$work/cap.json"
echo "# money gone -> no longer running, ms: $(jq -c '{stops, p50_ms, p99_ms, max_ms, overshoot_max}' "$work/cap.json")"
check "p99 is at most $STOP_MS ms of the host's time" jq -e ".p99_ms <= $STOP_MS" "$work/cap.json"

KEY=$(cat "$work/ticker.key")
at=$(ticks)
refuses 'its owner cannot resume it without money' '40[0-9]' call POST "/v1/instances/$ticker/actions" '{"type": "resume"}'
equals 'nor does it tick' "$at" "$(ticks)"
KEY=$OPERATOR call POST "/v1/admin/customers/$(cat "$work/ticker.customer")/credits" \
    '{"amount": "0.100000000", "reason": "test"}' >/dev/null
check 'topped up, it ticks again' poll 60 more_ticks "$at"
equals 'and runs' running "$(state "$ticker")"
call GET "/v1/instances/$ticker/records?limit=1000" | jq -r '.data[].leaf' | grep -a '^{' >"$work/leaves"
check 'its records say when it was not billed' grep -q '"flags":"billing_suspended"' "$work/leaves"

for owner in $PAYERS ticker; do
    KEY=$(cat "$work/$owner.key")
    while read -r action id; do
        call DELETE "/v1/instances/$id" | jq -r .id >>"$work/$owner.deletions"
    done <"$work/$owner.ids"
done
all_gone() {
    while read -r action; do
        [ "$(action_ends "$action" 120)" = succeeded ] || return 1
    done <"$work/$1.deletions"
}
for owner in $PAYERS ticker; do
    KEY=$(cat "$work/$owner.key")
    check "$owner: its guests are deleted" all_gone "$owner"
done
tap_end
