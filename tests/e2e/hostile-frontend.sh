#!/bin/sh
# Frontends that lie: each attack ends with its own device's answer or its end. A neighbour's disk goes on, no worker but
# the attacker's ends, the host's services keep their pids, and hv holds afterwards what it held before.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/disks.sh"
e2e_host
customer hostile 50.00

# The neighbour writes, reads back and compares until it is deleted.
script_disk $DISKS/script <<'EOF'
until [ -b /dev/xvda ]; do usleep 50000; done
round=0
while :; do
    dd if=/dev/urandom of=/tmp/r bs=64k count=4 2>/dev/null
    dd if=/tmp/r of=/dev/xvda bs=64k oflag=direct conv=fsync 2>/dev/null || echo "neighbour: write failed"
    dd if=/dev/xvda of=/tmp/s bs=64k count=4 iflag=direct 2>/dev/null || echo "neighbour: read failed"
    cmp /tmp/r /tmp/s || echo "neighbour: not what was written"
    round=$((round + 1))
    usleep 200000                       # a disk in use, not the whole machine
    [ $((round % 5)) != 0 ] || echo "neighbour: round $round"
done
EOF
neighbour=$(create neighbour tiny xs1 "$RUN_SCRIPT") || neighbour=none
neighbour_domid=$(domid_of "$neighbour")
dom0 "cd $DISKS && truncate -s 16M neighbour.raw && truncate -s 16M hostile.raw"
disk_attach "$neighbour_domid" 51712 $DISKS/neighbour.raw w
disk_attach "$neighbour_domid" $DISK_SCRIPT $DISKS/script r
check 'a neighbour uses its disk' says "$neighbour" 90 'neighbour: round'
rounds() { console "$neighbour" | grep -c 'neighbour: round'; }
more_than() { [ "$(rounds)" -gt "$1" ]; }
neighbour_worker() { dom0 'for p in $(pidof xs-blkback); do ! ls -l /proc/$p/fd | grep -q neighbour.raw || echo $p; done'; }
worker=$(neighbour_worker)
matches 'one worker has its file' '^[0-9]+$' "$worker"
before=$(services)
dom0 'cat /run/sv/devd/supervise/pid' >"$E2E/devd"
inventory >"$E2E/before"

# attacks WORD: waits for the end of the guest ID; its console is in TEXT
attacks() {
    matches "$1: created" '^ins_' "$ID"
    check "$1: all attacks made" says "$ID" 400 '^hostile: over'
    TEXT=$(console "$ID")
    printf '%s\n' "$TEXT" | sed -n 's/^attack/# &/p'
}
result() { printf '%s\n' "$TEXT" | sed -n "s/^attack $1 done: //p"; }
ends() {                                # ends RESULT NAME...
    want=$1
    shift
    for name in "$@"; do
        equals "$name" "$want" "$(result "$name")"
    done
}
somehow() {                             # what a race decides: an answer, the device's end, or silence
    for name in "$@"; do
        matches "$name ends somehow" '^(closed|open|1|0|-1|-2)$' "$(result "$name")"
    done
}

ID=$(create hostile-disk hostile-frontend small1 attack=disk) || ID=none
DOMID=$(domid_of "$ID")
disk_attach "$DOMID" 51712 $DISKS/hostile.raw w
attacks disk
ends -1 disk-past-end disk-across-end disk-sector-wraps disk-no-segments disk-many-segments disk-segment-backwards \
    disk-segment-long disk-grant-none disk-grant-beyond disk-grant-readonly disk-grant-hole disk-grant-other \
    disk-grant-table disk-grant-shared-info disk-grant-transitive disk-grant-last disk-flush-data disk-indirect-many \
    disk-indirect-most disk-indirect-none disk-indirect-nowhere disk-indirect-nested disk-indirect-garbage \
    disk-discard-past-end
ends -2 disk-unknown-op
ends closed disk-ring-overrun disk-ring-backwards disk-ref-none disk-ref-beyond disk-ref-negative disk-ref-text \
    disk-ref-huge disk-ref-empty disk-port-none disk-port-beyond disk-port-text disk-order-huge disk-order-alone \
    disk-order-text disk-protocol disk-states
ends refused disk-others-nodes
somehow disk-ring-answers disk-ring-changing disk-pages-back disk-ring-back
ends 0 disk-same-ids disk-honest
equals 'disk: deleted' succeeded "$(delete "$ID")"
disk_forget "$DOMID"

# Packets that are not the guest's own are thrown away (-2); descriptors that lie are errors (-1) or the end.
made=$(call POST /v1/instances '{"name": "hostile-net", "image": "hostile-frontend", "flavor": "small1",
    "network": true, "cmdline": "attack=net"}')
ID=$(printf '%s' "$made" | jq -r .id)
equals 'net: starts' succeeded "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 120)"
attacks net
ends -2 net-spoof-mac net-spoof-arp-mac net-spoof-arp-ip net-spoof-ip net-to-bridge net-vlan net-ip-header-short \
    net-ip-length-long net-ip6 net-dhcp-server net-gso-of-none net-gso-of-udp net-gso-unknown
ends -1 net-grant-none net-grant-beyond net-short-0 net-short-13 net-groups-many
ends closed net-tx-overrun net-tx-backwards net-size-most net-slot-crosses net-no-end net-extra-no-end net-slots-many \
    net-sum-wrong net-extra-garbage net-extra-endless net-ref-none net-ref-beyond net-ref-text net-port-none \
    net-port-text net-queues net-queues-text net-no-copy net-sg-text
somehow net-rx-overrun net-ring-changing net-pages-back net-rings-back
ends 0 net-same-ids net-honest
equals 'net: deleted' succeeded "$(delete "$ID")"

check 'the neighbour goes on' poll 60 more_than "$(rounds)"
equals 'and has seen no error' 0 "$(console "$neighbour" | grep -c -E 'failed|not what')"
equals 'by the same worker' "$worker" "$(neighbour_worker)"
equals "the host's services were never restarted" "$before" "$(services)"
equals 'nor was xs-devd' "$(cat "$E2E/devd")" "$(dom0 'cat /run/sv/devd/supervise/pid')"
check 'hv holds what it held before' poll 30 same_inventory
KEY_CUSTOMER=$KEY KEY=$OPERATOR
equals 'guest + hv + idle = wall on every CPU' true "$(call GET /v1/admin/host | jq .meter.conservation_ok)"
KEY=$KEY_CUSTOMER
equals 'the neighbour: deleted' succeeded "$(delete "$neighbour")"
disk_forget "$neighbour_domid"
check "no worker is left" poll 20 dom0 '! pidof xs-blkback'
dom0 "rm -r $DISKS"
tap_end
