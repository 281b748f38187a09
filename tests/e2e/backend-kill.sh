#!/bin/sh
# kill -9 of a disk's backend at random moments of a guest's verifying load, and of xs-devd: the guest sees a pause and no
# error, what was acknowledged is on the disk, and hv's counts are the guest's own.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/disks.sh"
kills=${XS_KILLS:-10}
e2e_host
customer kills 20.00

# Each round writes what no round wrote before, through several requests at once, and reads it back past the cache. A
# round that says "answered" has had its flush answered: after all kills the host looks into the file for the last.
script_disk $DISKS/script <<EOF
$GUEST_COUNTS
until [ -b /dev/xvda ]; do usleep 50000; done
round=0 bad=0
until [ "\$(cat /sys/block/xvda/size)" = 65536 ]; do
    round=\$((round + 1))
    dd if=/dev/urandom of=/tmp/r bs=64k count=16 2>/dev/null
    dd if=/tmp/r of=/dev/xvda bs=64k seek=\$((round % 15 * 16)) conv=fsync 2>/tmp/err || bad=\$((bad + 1))
    echo "round \$round answered \$(md5sum </tmp/r)"
    echo 3 >/proc/sys/vm/drop_caches
    dd if=/dev/xvda of=/tmp/s bs=64k skip=\$((round % 15 * 16)) count=16 2>/tmp/err || bad=\$((bad + 1))
    cmp /tmp/r /tmp/s || bad=\$((bad + 1))
done
counts
until [ "\$(cat /sys/block/xvda/size)" = 98304 ]; do usleep 50000; done
echo "load: \$round rounds, \$bad bad, \$(dmesg | grep -c 'I/O error') errors"
EOF
# dom0's own tables (of maps, of its memory) grow by a page at its first mapped ring, and stay so.
first=$(create kills-first tiny xs1 xs.work=1)
domid=$(domid_of "$first")
dom0 "truncate -s 16M $DISKS/a.raw"
disk_attach "$domid" 51712 $DISKS/a.raw w
connected() { [ "$(disk_node "$domid" 51712 state)" = 4 ]; }
check "a first disk is connected" poll 60 connected
equals "and let go" succeeded "$(delete "$first")"
disk_forget "$domid"
check "its worker has ended" poll 20 dom0 '! pidof xs-blkback'
inventory >"$E2E/before"
id=$(create "kills-$kills" tiny xs1 "xs.work=1 $RUN_SCRIPT")
domid=$(domid_of "$id")
disk_attach "$domid" 51712 $DISKS/a.raw w
disk_attach "$domid" $DISK_SCRIPT $DISKS/script r
check "the load runs" says "$id" 90 'round 1 answered'

descriptors() { dom0 'ls /proc/$(cat /run/sv/devd/supervise/pid)/fd | wc -l'; }
descriptors_before=$(descriptors)

# At least a second between two: more than 10 deaths in 10 s would be taken for a fault of ours, and the disk closed. A
# kill may find the next worker not yet there.
for _ in $(seq $((kills / 10))); do     # a command in dom0 may take 300 s
    XS_CTL_TIMEOUT=300 dom0 "for n in \$(seq 10); do usleep \$((1000000 + RANDOM * 40)); \
        for p in \$(pidof xs-blkback); do ! ls -l /proc/\$p/fd | grep -q a.raw || kill -9 \$p; done; done" >/dev/null
done
deaths=$(dom0 "grep -c 'vbd-$domid-51712: its worker was killed' /var/lib/xs/log/devd/current")
check "the backend was killed $deaths times" [ "$deaths" -ge $((kills * 9 / 10)) ]
check "the load goes on" says "$id" 90 "round $(($(console "$id" | grep -c answered) + 2)) answered"
equals "xs-devd holds as many descriptors as before" "$descriptors_before" "$(descriptors)"

taken_up() {                            # taken_up TIMES: the disk, by an xs-devd that found it connected
    [ "$(dom0 "grep -c 'vbd-$domid-51712: taken up again' /var/lib/xs/log/devd/current")" -ge "$1" ]
}
before=$(dom0 "grep -c 'vbd-$domid-51712: taken up again' /var/lib/xs/log/devd/current" || :)
dom0 'sv restart /run/sv/devd >/dev/null' || :
check "xs-devd is started again and takes the disk up" poll 30 taken_up $((before + 1))
dom0 'kill -9 $(cat /run/sv/devd/supervise/pid)' || :
check "likewise when it was killed" poll 30 taken_up $((before + 2))
round=$(console "$id" | sed -n 's/^round \([0-9]*\) answered.*/\1/p' | tail -n1)
check "the load goes on" says "$id" 60 "round $((round + 2)) answered"

grow() {                                # grow SIZE: the guest's script goes on
    dom0 "truncate -s $1 $DISKS/a.raw && xenstore-write /local/domain/0/backend/vbd/$domid/51712/params $DISKS/a.raw"
}
grow 32M
check "the load ends" says "$id" 90 'counts .* end'
guest=$(console "$id" | sed -n 's/^counts \(.*\) end$/\1/p')
# shellcheck disable=SC2086
hv=$(io "$domid" $DISK_COUNTERS)
equals "hv's counts are the guest's own; of the $(io "$domid" io_replays) done again, none counted twice" "$guest" "$hv"
grow 48M
check "the guest is done" says "$id" 60 'load: '
matches "without an error" 'load: [0-9]* rounds, 0 bad, 0 errors' "$(console "$id")"
last=$(console "$id" | sed -n 's/^round \([0-9]*\) answered \([0-9a-f]*\).*/\1 \2/p' | tail -n1)
equals "what was answered last is in the file" "${last#* }" \
    "$(dom0 "dd if=$DISKS/a.raw bs=64k skip=$((${last% *} % 15 * 16)) count=16 iflag=direct 2>/dev/null | md5sum" | cut -d' ' -f1)"
equals "guest: deleted" succeeded "$(delete "$id")"
disk_forget "$domid"
check "no worker is left" poll 20 dom0 '! pidof xs-blkback'
check "hv holds what it held before" poll 30 same_inventory
dom0 "rm -r $DISKS"
tap_end
