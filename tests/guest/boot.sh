#!/bin/sh
# boot.sh KERNEL.elf: run a small kernel alone on hv, as its dom0, and print its checks (TAP).
#
# The machine ends when the kernel powers off. What hv says besides goes to stderr. hv wants
# two modules, a kernel and an initrd: these kernels ignore the second.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
[ $# -eq 1 ] || die "usage: boot.sh KERNEL.elf"
[ -f "$HV" ] || die "$HV: no hypervisor; run make first"
[ -f "$1" ] || die "$1: no such kernel; run make check first"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
timeout -k 5 "${XS_LIMIT:-90}" qemu-system-x86_64 -machine q35 -cpu EPYC -smp "${XS_SMP:-2}" -m 1024 \
    -accel "tcg,thread=${XS_THREAD:-multi}" -nodefaults -no-user-config -display none -no-reboot \
    -serial "file:$log" -kernel "$HV" -append "console=com1 dom0_mem=256M ${XS_HV_ARGS-}" -initrd "$1,$1" >&2 || status=$?
tr -d '\r' <"$log" | grep -a -E '^(ok|not ok|1\.\.|Bail out)' || :
tr -d '\r' <"$log" | grep -a -v -E '^(ok|not ok|1\.\.)' >&2 || :
if [ "$status" -eq 124 ]; then
    echo "boot.sh: the machine did not end within ${XS_LIMIT:-90} s" >&2
    exit 1
fi
if tr -d '\r' <"$log" | grep -a -q '^not ok'; then
    exit 1
fi
# A reset ends QEMU with status 0, too.
if ! tr -d '\r' <"$log" | grep -a -q '^1\.\.'; then
    echo "boot.sh: the kernel ended before its plan" >&2
    exit 1
fi
exit "$status"
