#!/bin/sh
# Guests that attack: each dies or is contained alone. A neighbour goes on working, the host's
# services keep their pids, and hv holds afterwards what it held before.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer wild 50.00
neighbour=$(create neighbour tiny xs1) || neighbour=none
check 'a neighbour runs' says "$neighbour" 60 '^xs-guest: ready'
neighbour_ns() { call GET "/v1/instances/$neighbour/usage" | jq -r .guest_ns; }
before=$(services)
inventory >"$E2E/before"

wild() {                                # wild IMAGE FLAVOR: creates it; ID is set
    ID=$(create "$1" "$1" "$2") || ID=none
    matches "$1: created" '^ins_' "$ID"
}

# It dies at once, and the daemon that reads consoles is late: what it said is its owner's all the same.
consoled() { dom0 "kill -$1 \$(cat /run/sv/xenconsoled/supervise/pid)"; }
consoled STOP
wild wild-triple-fault small1
check 'wild-triple-fault: its end is not done with before its console is read' poll 60 is_state "$ID" stopping
consoled CONT
check 'wild-triple-fault: is failed' poll 60 is_state "$ID" failed
matches 'wild-triple-fault: its last words are there' '^wild: ' "$(console "$ID")"
equals 'wild-triple-fault: deleted' succeeded "$(delete "$ID")"

for attack in wild-memory wild-msr hypercall-refusals events fuzz-hypercalls stats-page; do
    wild $attack small1
    check "$attack: is over" poll 180 is_over "$ID"
    text=$(console "$ID")
    matches "$attack: ran to its end" '^1\.\.[1-9]' "$text"
    equals "$attack: every check of its own passed" 0 "$(printf '%s\n' "$text" | grep -c '^not ok')"
    printf '%s\n' "$text" | grep '^not ok' | sed 's/^/#   /' || :
    equals "$attack: deleted" succeeded "$(delete "$ID")"
done

# Endless loops with interrupts off, one for each CPU and one more: time slices still end.
spinners=''
for n in 1 2 3; do
    ID=$(create "spin-$n" wild-spin small1) || ID=none
    check "spinner $n: began" says "$ID" 60 '^wild: spinning'
    spinners="$spinners $ID"
done
begun=$(neighbour_ns)
more() { [ "$(neighbour_ns)" -gt "$begun" ]; }
check 'beside three spinners the neighbour gets its CPU' poll 60 more
n=0
for ID in $spinners; do
    n=$((n + 1))
    used=$(call GET "/v1/instances/$ID/usage" | jq -r .guest_ns)
    check "spinner $n pays for what it burns: $used ns" [ "$used" -gt 100000000 ]
    equals "spinner $n: deleted" succeeded "$(delete "$ID")"
done

equals "the neighbour still runs" running "$(state "$neighbour")"
equals "the host's services were never restarted" "$before" "$(services)"
KEY_CUSTOMER=$KEY KEY=$OPERATOR
equals 'guest + hv + idle = wall on every CPU' true "$(call GET /v1/admin/host | jq .meter.conservation_ok)"
KEY=$KEY_CUSTOMER
check 'hv holds what it held before' poll 30 same_inventory
equals 'the neighbour: deleted' succeeded "$(delete "$neighbour")"
tap_end
