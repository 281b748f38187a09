#!/bin/sh
# The kernel that dom0 and guests run is the one that Debian packaged, and a
# damaged image is refused by name, before anything boots it.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

unpack() {
    "$TOP/host/unpack-kernel" "$1" "$dir/out"
}

build_id() {
    readelf -n "$1" 2>/dev/null | sed -n 's/.*Build ID: //p'
}

for kernel in amd64 cloud-amd64; do
    image=$IMAGES/vmlinuz-$kernel
    check "$kernel: unpacks" unpack "$image"
    check "$kernel: is what the host boots" cmp "$dir/out" "$IMAGES/vmlinux-$kernel"
    # The setup header of the image and the ELF note come from the same link of the kernel.
    version=$(file -b "$image" | sed -n 's/.*version \([^ ]*\) .*/\1/p')
    check "$kernel: carries the version $version that its header names" grep -aq "Linux version $version " "$dir/out"
    matches "$kernel: has a build id" '^[0-9a-f]{40}$' "$(build_id "$dir/out")"
    matches "$kernel: has Xen's PVH entry note" 'Xen.*0x00000012' \
        "$(readelf -n "$dir/out" 2>/dev/null)"
done

rm "$dir/out"
image=$IMAGES/vmlinuz-amd64
head -c 100000 "$image" >"$dir/short"
refuses 'a truncated image' 'payload ends behind' unpack "$dir/short"
head -c 300 "$image" >"$dir/tiny"
refuses 'a very short image' 'too few' unpack "$dir/tiny"
cp "$image" "$dir/flipped"
printf '\377\377\377\377' | dd of="$dir/flipped" bs=1 seek=4000000 conv=notrunc 2>/dev/null
refuses 'a flipped byte in the payload' 'does not unpack|unpacks to' unpack "$dir/flipped"
head -c 100000 /dev/zero >"$dir/zeros"
refuses 'no kernel at all' 'no Linux setup header' unpack "$dir/zeros"
refuses 'no such file' 'cannot be read' unpack "$dir/nothing"
check 'after a refusal no output is left in place' [ ! -e "$dir/out" ]
tap_end
