# Disks given to a guest by hand: the nodes of provisioner/devd/nodes.h, past the provisioner, so that
# xs-devd and xs-blkback can be shown files that the provisioner would never make.
# Sourced after tests/e2e/lib.sh.
# shellcheck shell=sh

DISKS=/var/lib/xs/e2e-disks             # in dom0

# A guest's script is longer than a command line may be: it comes on a disk of its own, xvde, and the command line runs that.
# shellcheck disable=SC2034
DISK_SCRIPT=51776
# shellcheck disable=SC2120  # who sources this passes some
run_script() {                          # run_script [COMMANDS]: that word, with COMMANDS before
    printf 'xs.run=%s' "$(printf '%s\nuntil [ -b /dev/xvde ]; do usleep 50000; done; sh /dev/xvde' "${1-}" | base64 -w0)"
}
# shellcheck disable=SC2034
RUN_SCRIPT=$(run_script)

# script_disk FILE: makes a disk in dom0 of the script on standard input, padded with blanks to whole pages
script_disk() {
    dom0 "mkdir -p $DISKS && echo $(gzip -9 | base64 -w0) | base64 -d | gunzip >$1 && \
        printf '%*s' \$((4096 - \$(stat -c %s $1) % 4096)) '' >>$1"
}

domid_of() {                            # domid_of INSTANCE
    dom0 "for d in \$(xenstore-list /local/domain); do \
        [ \"\$(xenstore-read /local/domain/\$d/name 2>/dev/null)\" != $1 ] || echo \$d; done" | tail -n1
}

# disk_attach DOMID DEVICE PATH MODE: DEVICE 51712 is xvda, 51728 xvdb, ...
disk_attach() {
    backend=/local/domain/0/backend/vbd/$1/$2 frontend=/local/domain/$1/device/vbd/$2
    dom0 "xenstore-write $backend/frontend $frontend $backend/frontend-id $1 $backend/online 1 $backend/params $3 \
            $backend/mode $4 $backend/discard 1 && \
        xenstore-write $frontend/backend $backend $frontend/backend-id 0 $frontend/virtual-device $2 \
            $frontend/device-type disk && xenstore-write $backend/state 1 && \
        xenstore-chmod -r /local/domain/0/backend/vbd/$1 n0 r$1 && xenstore-write $frontend/state 1" |
        grep -v '^$' || :
}

disk_node() {                           # disk_node DOMID DEVICE NODE
    dom0 "xenstore-read /local/domain/0/backend/vbd/$1/$2/$3" 2>/dev/null
}

disk_node_is() {
    [ "$(disk_node "$1" "$2" "$3")" = "$4" ]
}

disk_forget() {                         # disk_forget DOMID: the backends' side of all its disks
    dom0 "xenstore-rm /local/domain/0/backend/vbd/$1" >/dev/null 2>&1 || :
}

# io DOMID NAME...: hv's counters of these names, in this order, on one line
io() {
    io_domid=$1
    shift
    dom0 "/var/lib/xs/conf/probe io $io_domid" >"$E2E/io"
    for name in "$@"; do
        awk -v name="$name" '$1 == name { print $2 }' "$E2E/io"
    done | tr '\n' ' ' | sed 's/ $//'
}

# What a guest's script calls to print its own count of all its disks, in the order of DISK_COUNTERS. Linux counts
# a flush as a write without sectors, too.
# shellcheck disable=SC2016,SC2034
GUEST_COUNTS='counts() { cat /sys/block/xvd*/stat | awk "{ r += \$1; rs += \$3; w += \$5; ws += \$7; d += \$12; f += \$16 }
    END { print \"counts\", r, w - f, f, d, rs * 512, ws * 512, \"end\" }"; }'
# shellcheck disable=SC2034
DISK_COUNTERS='disk_read_ops disk_write_ops disk_flush_ops disk_discard_ops disk_read_bytes disk_write_bytes'
