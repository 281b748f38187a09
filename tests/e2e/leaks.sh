#!/bin/sh
# Create and destroy, over and over: afterwards hv holds to the page, port and grant what it held
# before, by its own count, and the host's daemons hold no more descriptors.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

# The first round pays for what is made once (connections, caches), so it is not counted.
rounds=${XS_ROUNDS:-40}
customer leaks 20.00
round() {
    id=$(create "leak-$1" start-state small1) || return 1
    [ "$(delete "$id")" = succeeded ]
}
descriptors() {
    dom0 'for s in xenstored xenconsoled accountd provisioner devd api; do echo "$s $(ls /proc/$(cat /run/sv/$s/supervise/pid)/fd | wc -l)"; done'
}
check 'a first round' round 0
settled() { inventory >"$E2E/now" && [ "$(sed -n 's/^domains //p' "$E2E/now")" = "$(sed -n 's/^slots_used //p' "$E2E/now" | awk '{ print $1 - 1 }')" ]; }
check 'the meter has acknowledged every tombstone' poll 30 settled
inventory >"$E2E/before"
descriptors >"$E2E/descriptors"
failed=0 n=0
while [ $n -lt "$rounds" ]; do
    n=$((n + 1))
    round $n || failed=$((failed + 1))
done
equals "$rounds rounds of create and delete, failed" 0 $failed
check 'hv holds what it held before' poll 60 same_inventory
sed 's/^/# /' "$E2E/after"
# api opens a connection to the others for each of its threads, when it first needs it; a leak is one a round.
few_more() {
    descriptors >"$E2E/descriptors.after"
    paste "$E2E/descriptors" "$E2E/descriptors.after" | tee "$E2E/descriptors.both" |
        awk -v most=$((rounds / 2)) '$4 - $2 >= most { bad = 1 } END { exit bad }' || {
        cat "$E2E/descriptors.both"
        return 1
    }
}
check 'the daemons hold no descriptor for each round' few_more
tap_end
