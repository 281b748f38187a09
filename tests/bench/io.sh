#!/bin/sh
# Disk and network of a guest beside the peer's, in one run: Debian's Xen 4.17 with the kernel's xen-blkback and
# xen-netback in Debian's dom0, and this host with xs-blkback and xs-netback. The same QEMU, kernels, guest and
# load (io/guest.c); what it means and what it leaves out is in HACKING.md, "Disk and network beside the peer's".
#
# Takes some minutes. The peer's figures are kept in state/cache until something they depend on changes. Both hosts'
# figures, as measured, stay in state/bench.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
HERE=$TOP/tests/bench/io
OUT=$STATE/bench
E2E=$OUT/host                           # a host of our own: it is not left running
# shellcheck disable=SC2034  # read by tests/e2e/lib.sh
RUN=$E2E/run
LOADS=13
XEN=$CACHE/io-xen.figures
NO_CODE='-dfilter 0x1..0x1'             # with QEMU's log item in_asm: only VMRUN and its exits
DISK='-blockdev driver=null-co,node-name=bench,size=1073741824,read-zeroes=on -device virtio-blk-pci,drive=bench,serial=xs-bench'

# count FIFO FILE: reads QEMU's log in the background
count() {
    rm -f "$1"
    mkfifo "$1"
    awk -v mark="$(nm "$BUILD/tests/bench/io-guest" | sed -n 's/ . io_mark$//p')" -f "$HERE/exits.awk" <"$1" >"$2" &
    counter=$!
}

# merge CONSOLE COUNTS: the guest's figures and the exits, a line for each load
merge() {
    tr -d '\r' <"$1" | sed -n 's/^io \([a-z]*-[^ ]* [0-9 ]*\)$/\1/p' >"$OUT/figures"
    sed -n 's/^exits [0-9]* \([0-9 ]*\) |.*/\1/p' "$2" | paste -d' ' "$OUT/figures" -
}

# The peer's dom0 does not start with SMAP in this QEMU, and idles by MWAIT, which TCG refuses.
XEN_MACHINE='-machine q35 -cpu EPYC,-smap,-monitor -smp 1 -m 3072 -accel tcg -icount shift=0,sleep=off'
XEN_ARGS='console=com1 dom0_mem=1536M,max:1536M cpuidle=0'
xen_host() {
    key=$(key_of "$IMAGES/initrd-io-xen.key" "$(qemu-system-x86_64 --version)" "$HERE/exits.awk" "$XEN_MACHINE $XEN_ARGS $DISK")
    ! fresh "$XEN" "$key" || return 0
    count "$OUT/xen.fifo" "$OUT/xen.exits"
    rm -f "$OUT/xen.console"
    # shellcheck disable=SC2086  # words
    qemu-system-x86_64 $XEN_MACHINE -d in_asm $NO_CODE -D "$OUT/xen.fifo" $DISK \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$OUT/xen.console" -pidfile "$OUT/xen.pid" \
        -kernel "$IMAGES/xen-4.17" -append "$XEN_ARGS" \
        -initrd "$IMAGES/vmlinuz-amd64 console=hvc0 quiet,$IMAGES/initrd-io-xen" 2>"$OUT/xen.err" &
    qemu=$!
    word=$("$TOP/host/await" "$OUT/xen.console" "$qemu" 600 '^io: (end|FAILED)|[Cc]rashed|Panic') || word='no end in 600 s'
    kill "$qemu" 2>/dev/null || :
    wait "$qemu" "$counter" || :
    case $word in 'io: end'*) ;; *)
        echo "$word"
        tail -n 20 "$OUT/xen.console"
        return 1
        ;;
    esac
    merge "$OUT/xen.console" "$OUT/xen.exits" >"$XEN.new"
    seal "$XEN" "$key"
}

# our_disk: a data disk with the guest as an image, io-serve and the module of the RAM disk
our_disk() {
    rm -rf "$E2E"
    mkdir -p "$E2E/conf/etc" "$RUN"
    cp "$BUILD/tests/bench/io-serve" "$IMAGES/initrd-io-guest" "$HERE/our-devices" "$E2E/conf/"
    cp "$CACHE/io-xen/modules/configfs.ko" "$CACHE/io-xen/modules/null_blk.ko" "$E2E/conf/"
    jq '.images = [{ id: "io", name: "io", description: "the load", memory_mib_min: 128,
            kernel: "/usr/share/xs/images/vmlinux-amd64", initrd: "/var/lib/xs/conf/initrd-io-guest",
            cmdline: "console=hvc0 quiet io.disk=ram:xvda io.disk=virtio:xvdb io.net=10.99.0.1 io.addr=10.99.0.2/24" }]
        | .flavors = [{ id: "io", name: "1 vCPU, 256 MiB", vcpus: 1, memory_mib: 256, weight: 256, cap_percent: 0 }]' \
        "$TOP/host/dom0/etc/xs/catalog.json" >"$E2E/conf/etc/catalog.json"
    XS_SECRET=$E2E XS_DATA=$E2E/data.img "$TOP/host/secrets"
}

monitor() {                             # monitor COMMAND...: of QEMU's, one word each
    { echo '{"execute": "qmp_capabilities"}'
        for command in "$@"; do
            jq -nc --arg c "$command" '{execute: "human-monitor-command", arguments: {"command-line": $c}}'
        done
    } | socat -t 2 - "UNIX-CONNECT:$RUN/qmp.sock" >"$OUT/monitor"
}

# Nothing is asked of the host while the guest works: its answers would be counted. The end shows in QEMU's log.
our_load() {
    # An idle machine's clock runs ahead of its disk: parts of dom0 lose patience.
    # shellcheck disable=SC2034  # read by call
    RETRY=1
    customer io 100.00 || return 1
    instance=$(create io io io) || return 1
    dom0 /var/lib/xs/conf/our-devices || return 1
    "$TOP/host/await" "$OUT/ours.exits" "$(cat "$RUN/pid")" 600 "^exits $LOADS " >"$OUT/end" || echo 'no end in 600 s'
    console "$instance" >"$OUT/ours.console"
    [ -s "$OUT/end" ] || {
        tail -n 20 "$OUT/ours.console"
        return 1
    }
}

our_host() {
    our_disk
    export XS_ICOUNT=1 XS_SMP=1 XS_QEMU_ARGS="$NO_CODE $DISK"
    e2e_boot >"$E2E/boot.log" 2>&1 || {
        tail -n 20 "$E2E/boot.log"
        return 1
    }
    e2e_host
    count "$OUT/ours.fifo" "$OUT/ours.exits"
    monitor "logfile $OUT/ours.fifo" 'log in_asm'
    status=0
    our_load || status=1
    kill "$(cat "$RUN/pid")"
    wait "$counter"
    [ $status -eq 0 ] && merge "$OUT/ours.console" "$OUT/ours.exits" >"$OUT/ours.figures"
}

end() {                                 # QEMU removes these files when it ends
    for pid in "$OUT/xen.pid" "$RUN/pid"; do
        [ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || :
    done
}
trap end EXIT
trap 'exit 1' INT TERM

mkdir -p "$OUT"
"$TOP/host/install-packages" build images run test
make -C "$BUILD" -s tests/bench/io-guest tests/bench/io-serve
"$TOP/host/build"
"$TOP/host/images"
"$HERE/images"
check 'Xen: the guest runs to its end' xen_host
check 'here: the guest runs to its end' our_host
awk -f "$HERE/table.awk" "$XEN" "$OUT/ours.figures" >"$OUT/table"
grep '^#' "$OUT/table"
equals 'every load on both' "$LOADS $LOADS" "$(wc -l <"$XEN") $(wc -l <"$OUT/ours.figures")"
sed -n 's/^verdict //p' "$OUT/table" >"$OUT/verdicts"
while read -r load quantity ours xen; do
    check "$load: $ours $quantity, at most Xen's $xen" awk "BEGIN { exit !($ours <= $xen) }"
done <"$OUT/verdicts"
tap_end
