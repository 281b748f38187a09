#!/bin/sh
# Memory is cleared before it changes owner: guests that fill all they have, one after the other and at
# once, find nothing of each other in theirs.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer scrub 5.00
for n in 1 2 3 4 5 6; do
    id=$(create "scrub-$n" scrub small1) || id=none
    check "guest $n: is over" poll 60 is_over "$id"
    matches "guest $n: looked at all its memory" '^ok .* pages looked at' "$(console "$id")"
    matches "guest $n: found nothing there" '^ok .* 0 words hold something' "$(console "$id")"
    equals "guest $n: deleted" succeeded "$(delete "$id")"
done

# By hv's own count: 4 MiB and 5 MiB for each GiB of the machine's 3.
hv_kib=$(inventory | awk '/^pages_hv/ { print $2 * 4 }')
check "hv's own memory: $hv_kib KiB, at most 19456" [ "$hv_kib" -le 19456 ]
tap_end
