#!/bin/sh
# Frequent operations in instructions, beside the peer's; above the peer's figure with its
# instruction decoding taken out (TCG has no NRIPS, so the peer decodes at each exit) fails.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
kernel=$BUILD/tests/bench/hypercalls.elf
log=$(mktemp)
trap 'rm -f "$log"' EXIT

check 'runs to its end' sh -c "timeout -k 5 120 qemu-system-x86_64 -machine q35 -cpu EPYC -smp 1 -m 1024 -accel tcg \
    -icount shift=0,sleep=off -nodefaults -no-user-config -display none -no-reboot -serial file:$log \
    -kernel '$HV' -append 'console=com1 dom0_mem=256M' -initrd '$kernel,$kernel'"
printf '# %-20s %10s %12s %12s %8s\n' operation 'ours' 'Xen 4.17' 'no decoding' goal
grep -v '^#' "$TOP/tests/bench/peers" | { while read -r name stock plain goal what; do
    ours=$(tr -d '\r' <"$log" | sed -n "s/^bench $name //p")
    printf '# %-20s %10s %12s %12s %8s   %s\n' "$name" "${ours:-none}" "$stock" "$plain" "$goal" "$what"
    check "$name: ${ours:-none} instructions, at most the peer's $plain" [ "${ours:-999999}" -le "$plain" ]
done
eight=$(tr -d '\r' <"$log" | sed -n 's/^bench meter_copy_8x4k //p')
echo "# eight metered blocks in one call: ${eight:-none}, $((${eight:-0} / 8)) each, of which 512 move the bytes"
tap_end; }
