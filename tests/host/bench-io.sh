#!/bin/sh
# The arithmetic of tests/bench/io.sh, without its two hosts: exits from QEMU's log, the table from both hosts' figures.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
HERE=$TOP/tests/bench/io
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/log" <<'END'
vmrun! 0000000000001000
vmexit(00000081, 0000000000000000, 0000000000000000, 0000000000400000)!
vmrun! 0000000000001000
vmexit(00000072, 0000000000000000, 0000000000000000, 0000000000400abc)!
vmrun! 0000000000001000
Injecting(0): INTR 0xf3 0
vmexit(00000078, 0000000000000000, 0000000000000000, ffffffff81000000)!
vmrun! 0000000000002000
vmexit(00000081, 0000000000000000, 0000000000000000, ffffffff81000000)!
vmrun! 0000000000001000
Injecting(0x800): EXEPTvmexit(00000060, 0000000000000000, 0000000000000000, ffffffff81000000)!
vmrun! 0000000000001000
Servicing virtual hardware INT=0xf3
vmexit(00000072, 0000000000000000, 0000000000000000, 0000000000400abc)!
vmrun! 0000000000001000
vmexit(00000081, 0000000000000000, 0000000000000000, 0000000000400000)!
END
equals 'exits between two marks: the guest'"'"'s, those that decode, the other'"'"'s, what was given' 'exits 1 2 1 1 3' \
    "$(awk -v mark=0000000000400abc -f "$HERE/exits.awk" "$dir/log" | sed 's/ |.*//')"

echo "ram-read-4k 100 90000 91000 100 300 200 0 100" >"$dir/xen"
echo 'ram-read-4k 100 5000 5100 100 200 150 400 100' >"$dir/ours"
awk -f "$HERE/table.awk" "$dir/xen" "$dir/ours" >"$dir/table"
# 90,000 less 5,910 for each of the two exits a block that decode
matches 'a line per load: instructions, without decoding, exits, events, dom0'"'"'s exits' \
    '^# ram-read-4k +5000 +90000 +78180 +2\.00 +3\.00 +1\.00 +1\.00 +4\.00$' "$(cat "$dir/table")"
equals 'what is compared' 'ram-read-4k instructions 5000 90000
ram-read-4k exits 2.00 3.00' "$(sed -n 's/^verdict //p' "$dir/table")"
tap_end
