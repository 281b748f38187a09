#!/bin/sh
# Every way a guest's life can change ends in the right state, and what the guest itself does
# (power-off, reboot, crash) is noticed without being asked about.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer lifecycle 10.00
id=$(create life tiny xs1) || id=none
check 'it runs' says "$id" 60 '^xs-guest: ready'
equals 'suspend' succeeded "$(act "$id" suspend)"
equals 'is suspended' suspended "$(state "$id")"
# The meter is read once a second: what it shows is of the suspended guest two readings later.
samples() { KEY=$OPERATOR call GET /v1/admin/host | jq -r .meter.samples; }
sampled() { [ "$(samples)" -ge "$1" ]; }
check 'the meter is read' poll 20 sampled $(($(samples) + 2))
before=$(call GET "/v1/instances/$id/usage" | jq -r .guest_ns)
check 'and read again' poll 20 sampled $(($(samples) + 2))
equals 'suspended it uses no CPU' "$before" "$(call GET "/v1/instances/$id/usage" | jq -r .guest_ns)"
equals 'resume' succeeded "$(act "$id" resume)"
equals 'runs again' running "$(state "$id")"

boots=$(console "$id" | grep -c '^xs-guest: up')
equals 'reboot' succeeded "$(act "$id" reboot)"
boots_are_at_least() { [ "$(console "$1" | grep -c '^xs-guest: up')" -ge "$2" ]; }
boots_are() { [ "$(console "$1" | grep -c '^xs-guest: ready')" = "$2" ]; }
check 'it is up once more' poll 60 boots_are "$id" $((boots + 1))
equals 'power off' succeeded "$(act "$id" power_off)"
equals 'is stopped' stopped "$(state "$id")"
costs() { call GET "/v1/instances/$id/actions" | jq -r "[.data[] | select(.cost != null)] | $1"; }
costs_are_the_use() {
    [ "$(costs 'map(.cost | tonumber * 1e9 | round) | add')" = "$(call GET "/v1/instances/$id/usage" | jq -r '.amount | tonumber * 1e9 | round')" ]
}
equals 'each start is an action with a cost' 'reboot create' "$(costs 'map(.type) | join(" ")')"
check 'and what they cost is what was used' poll 20 costs_are_the_use
refuses 'suspend what is stopped' '409.*conflict' call POST "/v1/instances/$id/actions" '{"type": "suspend"}'
matches 'resize' '^succeeded 2 256$' "$(act "$id" resize flavor xs2) $(call GET "/v1/instances/$id" | jq -r '"\(.vcpus) \(.memory_mib)"')"
equals 'start' succeeded "$(act "$id" start)"
has_pages() { [ "$(KEY=$OPERATOR call GET /v1/admin/host/domains | jq --arg id "$1" '.domains[] | select(.instance_id == $id) | .pages')" -ge "$2" ]; }
check 'it has the memory of its new size' poll 20 has_pages "$id" 60000
refuses 'resize what runs' '409.*conflict' call POST "/v1/instances/$id/actions" '{"type": "resize", "flavor": "xs1"}'
equals 'runs' running "$(state "$id")"
equals 'delete while it runs' succeeded "$(delete "$id")"
check 'afterwards it is gone' is_gone "$id"
equals 'and not in the list' 0 "$(call GET /v1/instances | jq --arg id "$id" '[.data[] | select(.id == $id)] | length')"

# accountd hears of an end with its next sample, a second later at most.
no_meter_runs() {
    [ "$(call GET "/v1/instances/$1" | jq '.meters_running | length')" = 0 ]
}

for end in poweroff:stopped crash:failed; do
    id=$(create "ends-${end%:*}" tiny xs1 "xs.test=${end%:*}") || id=none
    check "a guest that ends by ${end%:*} is ${end#*:}" poll 60 is_state "$id" "${end#*:}"
    check "${end%:*}: the state has a reason" [ -n "$(call GET "/v1/instances/$id" | jq -r .state_reason)" ]
    check "${end%:*}: no meter runs" poll 10 no_meter_runs "$id"
    equals "${end%:*}: delete" succeeded "$(delete "$id")"
done

id=$(create reboots tiny xs1 xs.test=reboot) || id=none
check 'a guest that reboots itself comes up again' poll 60 boots_are_at_least "$id" 2
equals 'delete it while it does' succeeded "$(delete "$id")"
tap_end
