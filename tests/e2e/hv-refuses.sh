#!/bin/sh
# hv at the edge: no modules, too little memory, a corrupt kernel, a CPU without what it needs. Each
# time one clear line on the console says what is wrong, and the machine does not go on.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# hv_says PATTERN SECONDS QEMU-WORDS...: the console says so in time
hv_says() {
    pattern=$1 limit=$2
    shift 2
    : >"$dir/log"
    qemu-system-x86_64 -machine q35 -smp 2 -accel tcg -nodefaults -no-user-config -display none -no-reboot \
        -serial "file:$dir/log" -kernel "$HV" "$@" 2>"$dir/err" &
    qemu=$!
    status=0
    "$TOP/host/await" "$dir/log" $qemu "$limit" "$pattern" || status=1
    kill $qemu 2>/dev/null || :
    wait $qemu 2>/dev/null || :
    [ $status -eq 0 ] || cat "$dir/log" "$dir/err"
    return $status
}

kernel=$IMAGES/vmlinux-amd64
small=$BUILD/tests/guest/start-state.elf,$BUILD/tests/guest/start-state.elf
head -c 1000000 "$kernel" >"$dir/truncated"
head -c 1000000 /dev/urandom >"$dir/noise"
check 'no modules' hv_says 'PANIC.* modules' 20 -cpu EPYC -m 1024 -append console=com1
check 'a truncated kernel' hv_says 'PANIC.* kernel.*(cut short|damaged)' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$dir/truncated,$dir/noise"
check 'no kernel at all' hv_says 'PANIC.* ELF' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$dir/noise,$dir/noise"
check 'too little memory' hv_says 'PANIC.* (memory|MiB)' 20 -cpu EPYC -m 64 -append 'console=com1 dom0_mem=1G' -initrd "$small"
check 'more for dom0 than there is' hv_says 'PANIC.* (dom0_mem|memory)' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=64G' -initrd "$small"
check 'a dom0_mem that is no size' hv_says 'PANIC.*dom0_mem' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=lots' -initrd "$small"
check 'a CPU without SVM' hv_says 'PANIC.* SVM' 20 -cpu EPYC,-svm -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$small"
check 'a CPU without nested paging' hv_says 'PANIC.* (NPT|nested)' 20 -cpu EPYC,-npt -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$small"
tap_end
