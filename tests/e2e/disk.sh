#!/bin/sh
# Disks of an unmodified guest: data comes back, hv's counts are the guest's own, a disk that grows, one for reading
# only; and files that are full, short or missing, and a disk whose medium fails, fail alone.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/disks.sh"
e2e_host
customer disk 5.00

# The guest goes on from step to step as disks appear and change.
script_disk $DISKS/script <<EOF
$GUEST_COUNTS
appears() { until [ -b /dev/\$1 ]; do usleep 50000; done; }
appears xvda
appears xvdb
dd if=/dev/urandom of=/tmp/r bs=64k count=32 2>/dev/null
dd if=/tmp/r of=/dev/xvda bs=128k oflag=direct conv=fsync 2>/dev/null && echo "disk: written"
dd if=/dev/xvda of=/tmp/s bs=64k count=32 iflag=direct 2>/dev/null
cmp /tmp/r /tmp/s && echo "disk: same"
dd if=/tmp/r of=/dev/xvda bs=1k seek=4096 count=512 2>/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/xvda of=/tmp/s bs=1k skip=4096 count=512 2>/dev/null
cmp -n 524288 /tmp/r /tmp/s && echo "disk: same through the page cache"
blkdiscard -o 0 -l 1048576 /dev/xvda && echo "disk: discarded"
dd if=/dev/xvda of=/tmp/s bs=64k count=32 iflag=direct 2>/dev/null
head -c 1048576 /dev/zero | cmp -n 1048576 - /tmp/s && echo "disk: zeros"
dd if=/tmp/r of=/dev/xvdb bs=4k count=1 2>/dev/null || echo "disk: not written to"
[ "\$(cat /sys/block/xvdb/ro)" = 1 ] && echo "disk: read-only"
appears xvdi
dd if=/dev/xvdi of=/dev/null bs=4k skip=1024 count=1 iflag=direct 2>/dev/null || echo "disk: EIO read"
dd if=/tmp/r of=/dev/xvdi bs=4k seek=2048 count=1 oflag=direct 2>/dev/null || echo "disk: EIO written"
dd if=/dev/xvdi of=/dev/null bs=4k skip=1025 count=1 iflag=direct 2>/dev/null &&
    dd if=/tmp/r of=/dev/xvdi bs=4k seek=2049 count=1 oflag=direct 2>/dev/null && echo "disk: EIO only there"
dd if=/dev/xvda of=/tmp/s bs=64k skip=31 count=1 iflag=direct 2>/dev/null &&
    head -c 2097152 /tmp/r | tail -c 65536 | cmp - /tmp/s && echo "disk: EIO beside it"
counts
until [ "\$(cat /sys/block/xvda/size)" = 65536 ]; do usleep 50000; done
dd if=/tmp/r of=/dev/xvda bs=64k seek=480 oflag=direct 2>/dev/null && echo "disk: grown"
dd if=/tmp/r of=/dev/xvdi bs=4k seek=3072 count=1 conv=fsync 2>/dev/null
dd if=/tmp/r of=/dev/xvdi bs=4k seek=3073 count=1 oflag=direct 2>/dev/null || echo "disk: EIO once not flushed"
appears xvdc
dd if=/dev/zero of=/dev/xvdc bs=64k count=64 oflag=direct 2>/dev/null || echo "disk: full"
dd if=/dev/xvdc of=/dev/null bs=64k count=1 iflag=direct 2>/dev/null && echo "disk: full but read"
appears xvdd
appears xvdh
echo "disk: label \$(dd if=/dev/xvdh bs=1 skip=1144 count=7 2>/dev/null)"
appears xvdg
start=\$(cut -d. -f1 /proc/uptime)
dd if=/dev/xvdg of=/dev/null bs=4k count=40 iflag=direct 2>/dev/null
[ \$((\$(cut -d. -f1 /proc/uptime) - start)) -ge 2 ] && echo "disk: slow"
until [ "\$(cat /sys/block/xvdc/size)" = 8200 ]; do usleep 50000; done
dd if=/dev/xvdd of=/dev/null bs=64k skip=32 count=1 iflag=direct 2>/dev/null || echo "disk: short"
dd if=/dev/xvdd of=/dev/null bs=64k count=1 iflag=direct 2>/dev/null && echo "disk: short but read"
dd if=/tmp/r of=/dev/xvda bs=64k oflag=direct conv=fsync 2>/dev/null &&
    dd if=/dev/xvda of=/tmp/s bs=64k count=32 iflag=direct 2>/dev/null && cmp /tmp/r /tmp/s && echo "disk: neighbour well"
EOF
# Its driver uses rings of eight pages, if it is loaded before there is a disk.
id=$(create disks tiny xs1 "xs.work=1 $(run_script '
insmod /lib/modules/$(uname -r)/xen-blkfront.ko max_ring_page_order=3 && echo "disk: driver loaded"')")
domid=$(domid_of "$id")
check "the guest is up" says "$id" 90 'disk: driver loaded'
dom0 "cd $DISKS && truncate -s 16M a.raw && truncate -s 1M b.raw && truncate -s 4M d.raw && \
    mkdir -p small && mount -t tmpfs -o size=1m tmpfs small && truncate -s 4M small/c.raw"
disk_attach "$domid" 51712 $DISKS/a.raw w
disk_attach "$domid" 51728 $DISKS/b.raw r
disk_attach "$domid" $DISK_SCRIPT $DISKS/script r

workers_live() { dom0 "kill -0 $1"; }
check "guest: a disk appears and takes data" says "$id" 90 'disk: written'
check "guest: it comes back" says "$id" 60 'disk: same$'
check "guest: likewise through the page cache" says "$id" 60 'disk: same through the page cache'
check "guest: discards" says "$id" 60 'disk: discarded'
check "guest: what was discarded is zero" says "$id" 60 'disk: zeros'
check "a disk for reading is not written to" says "$id" 60 'disk: not written to'
check "and says so" says "$id" 60 'disk: read-only'
workers=$(dom0 'pidof xs-blkback')
disk_attach "$domid" 51840 "/dev/$(dom0 "grep -lx xs-failing /sys/block/*/serial" | cut -d/ -f4)" w
check "a disk whose medium fails: a read is an error for the guest" says "$id" 60 'disk: EIO read'
check "so is a write" says "$id" 60 'disk: EIO written'
check "what is beside it is read and written" says "$id" 60 'disk: EIO only there'
check "and the disk beside that one" says "$id" 60 'disk: EIO beside it'
check "no worker ended of it" workers_live "$workers"
check "guest: counted" says "$id" 60 'counts .* end'
guest=$(console "$id" | sed -n 's/^counts \(.*\) end$/\1/p')
# shellcheck disable=SC2086
equals "hv's count of operations and bytes is the guest's own, less the read that brought nothing" \
    "$(echo "$guest" | awk '{ $1 -= 1; $5 -= 4096; print }')" "$(io "$domid" $DISK_COUNTERS)"
equals "through a ring of eight pages" 3 "$(dom0 "xenstore-read /local/domain/$domid/device/vbd/51712/ring-page-order")"
blocks=$(dom0 "stat -c %b $DISKS/a.raw")
check "a discard gives space back: $blocks blocks of 512 in use" [ "$blocks" -le 3200 ]

dom0 "truncate -s 32M $DISKS/a.raw && xenstore-write /local/domain/0/backend/vbd/$domid/51712/params $DISKS/a.raw"
check "a disk grows under the guest" says "$id" 60 'disk: grown'
check "a disk whose flush fails takes no more writes" says "$id" 60 'disk: EIO once not flushed'

disk_attach "$domid" 51744 $DISKS/small/c.raw w
check "a full file system: an error for the guest" says "$id" 60 'disk: full$'
check "and no end of the disk" says "$id" 60 'disk: full but read'

# Of all its disks together, and hv's buckets hold 100 ms of it.
dom0 "xenstore-write /local/domain/0/backend/vbd/$domid/51808/limit '15 100000000 100'"
disk_attach "$domid" 51808 $DISKS/b.raw r
disk_attach "$domid" 51824 "$(dom0 'sed -n "s|^\(/dev/[^ ]*\) / .*|\1|p" /proc/mounts')" r
disk_attach "$domid" 51760 $DISKS/d.raw w
check "a limit of 15 operations a second is kept" says "$id" 60 'disk: slow'
dom0 "xenstore-rm /local/domain/0/backend/vbd/$domid/51808/limit"
check "a block device is a disk, too: dom0's root" says "$id" 60 'disk: label xs-root'
check "xvdd is connected" poll 30 disk_node_is "$domid" 51760 state 4
dom0 "truncate -s 64K $DISKS/d.raw && truncate -s 4198400 $DISKS/small/c.raw && \
    xenstore-write /local/domain/0/backend/vbd/$domid/51744/params $DISKS/small/c.raw"
check "a file that became short: an error for the guest" says "$id" 60 'disk: short$'
check "only where it has nothing" says "$id" 60 'disk: short but read'
check "the neighbours do not notice" says "$id" 60 'disk: neighbour well'

dom0 "xenstore-write /local/domain/0/backend/vbd/$domid/51808/online 0 /local/domain/0/backend/vbd/$domid/51808/state 5"
check "a disk is detached" poll 30 disk_node_is "$domid" 51808 state 6
disk_attach "$domid" 51792 $DISKS/missing.raw w
check "a file that is missing closes its device" poll 30 disk_node_is "$domid" 51792 state 6
matches "and says why" 'missing.raw: No such file' "$(disk_node "$domid" 51792 error)"
equals "each other disk has its worker, its own user's" 7 "$(dom0 'ps -o user,comm | grep -c "^xs-blk *xs-blkback"')"
resident=$(dom0 'for p in $(pidof xs-blkback); do grep Rss_anon\\\|RssAnon /proc/$p/status; done' | awk '{ n++; k += $2 } END { print int(k / n) }')
check "a worker has $resident KiB of its own" [ "${resident:-99999}" -le 4096 ]

equals "guest: deleted" succeeded "$(delete "$id")"
disk_forget "$domid"
check "no worker is left" poll 20 dom0 '! pidof xs-blkback'
equals "nor its files" "" "$(dom0 'ls /run/xs/dev')"
dom0 "umount $DISKS/small && rm -r $DISKS"
tap_end
