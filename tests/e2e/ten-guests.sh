#!/bin/sh
# Ten guests at once: all boot, all work, each sees only itself, and the CPUs' books still close.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer ten 20.00
ids=''
for n in 1 2 3 4 5 6 7 8 9 10; do
    id=$(create "ten-$n" tiny xs1 "xs.work=4") || id=none
    matches "guest $n: created" '^ins_' "$id"
    ids="$ids $id"
done
n=0
for id in $ids; do
    n=$((n + 1))
    check "guest $n: ready" says "$id" 120 '^xs-guest: ready'
done
equals 'ten are running' 10 "$(call GET /v1/instances | jq '[.data[] | select(.state == "running")] | length')"
equals 'each has a uuid of its own' 10 \
    "$(for id in $ids; do console "$id" | sed -n 's/.* uuid //p'; done | sort -u | wc -l)"
KEY_CUSTOMER=$KEY KEY=$OPERATOR
equals "guest + hv + idle = wall on every CPU" true "$(call GET /v1/admin/host | jq .meter.conservation_ok)"
KEY=$KEY_CUSTOMER
n=0
for id in $ids; do
    n=$((n + 1))
    equals "guest $n: deleted" succeeded "$(delete "$id")"
done
tap_end
