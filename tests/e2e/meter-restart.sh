#!/bin/sh
# accountd is killed with -9 for a while in a guest's life. hv keeps counting, so the records
# that follow telescope over the gap and the bill has every nanosecond, once.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer restart 10.00
id=$(create restart tiny xs1) || id=none
check 'it runs' says "$id" 60 '^xs-guest: ready'
dom0 'sv down /run/sv/accountd; kill -9 $(cat /run/sv/accountd/supervise/pid) 2>/dev/null; sv -w 10 status /run/sv/accountd' >/dev/null || :
console_answers() { call GET "/v1/instances/$id" >/dev/null; }
check 'without accountd the API still shows the instance' console_answers
refuses 'and says that usage is not to be had now' '503' call GET "/v1/instances/$id/usage"
dom0 "timeout 5 tail -f /dev/null" || :         # five seconds of the guest's life without a meter reader
dom0 'sv up /run/sv/accountd'
usage() { call GET "/v1/instances/$id/usage" 2>/dev/null; }
check 'accountd is back' poll 30 usage
for n in 1 2 3; do                              # and is killed again, and restarted by its supervisor
    dom0 'kill -9 $(cat /run/sv/accountd/supervise/pid)'
    check "killed again ($n): it comes back by itself" poll 30 usage
done
equals 'delete' succeeded "$(delete "$id")"
check 'its last record is final' poll 60 record_is "$id" end
call GET "/v1/instances/$id/records?limit=1000" | jq -r '.data[].leaf' >"$E2E/leaves"
telescopes() {                          # each use begins where the one before ended, for every counter
    grep -a '^{' "$E2E/leaves" | jq -s '
        [.[] | select(has("guest_ns_0"))] as $u
        | [range(1; $u | length) | . as $i | $u[$i - 1] as $a | $u[$i] as $b
           | $a | to_entries[] | select(.key | endswith("_1")) | .key[:-2] as $k
           | select($b[$k + "_0"] != .value) | "record \($i): \($k)"] | .[]' >"$E2E/broken"
    [ ! -s "$E2E/broken" ] || { cat "$E2E/broken"; return 1; }
}
check 'every record begins where the one before ended' telescopes
equals 'the first begins at nothing' 0 "$(grep -a '^{' "$E2E/leaves" | head -n1 | jq -r .guest_ns_0)"

# What is billed is what hv counted in the guest's whole life: its last counters, to the nanosecond.
counted=$(grep -a '^{' "$E2E/leaves" | tail -n1 | jq -r '.guest_ns_1, .hv_ns_1' | paste -sd+ | sed 's/.*/echo $((&))/' | sh)
invoice=$(call POST /v1/invoices)
billed=$(call GET "/v1/invoices/$(printf '%s' "$invoice" | jq -r .id)" | jq -r '.lines[] | select(.meter == "cpu_used") | .quantity')
check "hv counted $counted ns" [ "${counted:-0}" -gt 1000000000 ]
equals 'and the bill has every one of them, once' "$counted" "$billed"
tap_end
