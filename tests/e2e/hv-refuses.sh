#!/bin/sh
# hv at the edge: no modules, too little memory, a corrupt kernel, a CPU without what it needs. Each
# time one clear line on the console says what is wrong, and the machine does not go on.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
hv=$BUILD/hv/xenoserver.elf

# hv_says PATTERN SECONDS QEMU-WORDS...: the console says so in time
hv_says() {
    pattern=$1 limit=$2
    shift 2
    : >"$dir/log"
    qemu-system-x86_64 -machine q35 -smp 2 -accel tcg -nodefaults -no-user-config -display none -no-reboot \
        -serial "file:$dir/log" -kernel "$hv" "$@" 2>"$dir/err" &
    qemu=$!
    status=0
    "$TOP/host/await" "$dir/log" $qemu "$limit" "$pattern" || status=1
    kill $qemu 2>/dev/null || :
    wait $qemu 2>/dev/null || :
    [ $status -eq 0 ] || cat "$dir/log" "$dir/err"
    return $status
}

kernel=$IMAGES/vmlinux-amd64
head -c 1000000 "$kernel" >"$dir/truncated"
head -c 1000000 /dev/urandom >"$dir/noise"
check 'no modules' hv_says '[Nn]o (dom0 )?(kernel|module)|module' 20 -cpu EPYC -m 1024 -append console=com1
check 'a truncated kernel' hv_says '[Kk]ernel|ELF|segment' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$dir/truncated"
check 'no kernel at all' hv_says 'ELF|[Kk]ernel' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$dir/noise"
check 'too little memory' hv_says '[Mm]emory|MiB|RAM' 20 -cpu EPYC -m 64 -append 'console=com1 dom0_mem=1G' -initrd "$BUILD/tests/guest/start-state.elf"
check 'more for dom0 than there is' hv_says 'dom0_mem|[Mm]emory' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=64G' -initrd "$BUILD/tests/guest/start-state.elf"
check 'a dom0_mem that is no size' hv_says 'dom0_mem' 20 -cpu EPYC -m 1024 -append 'console=com1 dom0_mem=lots' -initrd "$BUILD/tests/guest/start-state.elf"
check 'a CPU without SVM' hv_says 'SVM' 20 -cpu EPYC,-svm -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$BUILD/tests/guest/start-state.elf"
check 'a CPU without nested paging' hv_says 'NPT|nested' 20 -cpu EPYC,-npt -m 1024 -append 'console=com1 dom0_mem=256M' -initrd "$BUILD/tests/guest/start-state.elf"
tap_end
