#!/bin/sh
# Disk and network of a guest on the peer: Debian's Xen 4.17 with the kernel's xen-blkback and
# xen-netback in Debian's dom0; the load is io/guest.c. Prints for each load: units, instructions per unit
# (median, mean), the guest's device interrupts, its exits, those that decode, dom0's, injections.
#
# Takes some minutes. The figures are kept in state/cache until something they depend on changes.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
HERE=$TOP/tests/bench/io
OUT=$STATE/bench
XEN=$CACHE/io-xen.figures
COUNTS='-d in_asm -dfilter 0x1..0x1'    # of all code nothing, so only VMRUN and its exits are logged
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
xen_host() {
    key=$(key_of "$IMAGES/initrd-io-xen.key" "$(qemu-system-x86_64 --version)" "$HERE/exits.awk" "$TOP/tests/bench/io.sh")
    ! fresh "$XEN" "$key" || return 0
    count "$OUT/xen.fifo" "$OUT/xen.exits"
    rm -f "$OUT/xen.console"
    # shellcheck disable=SC2086  # words
    qemu-system-x86_64 -machine q35 -cpu EPYC,-smap,-monitor -smp 1 -m 3072 -accel tcg \
        -icount shift=0,sleep=off $COUNTS -D "$OUT/xen.fifo" $DISK \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$OUT/xen.console" \
        -kernel "$IMAGES/xen-4.17" -append 'console=com1 dom0_mem=1536M,max:1536M cpuidle=0' \
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

mkdir -p "$OUT"
"$TOP/host/install-packages" build images run test
make -C "$BUILD" -s tests/bench/io-guest tests/bench/io-serve
"$HERE/images"
check 'Xen: the guest runs to its end' xen_host
[ ! -f "$XEN" ] || sed 's/^/# /' "$XEN"
tap_end
