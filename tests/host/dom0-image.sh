#!/bin/sh
# dom0's image by itself, its kernel without hv below: it comes up, obeys the
# operator's line, keeps what must last over a power-off, and says what is wrong with a bad disk.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$STATE/test/dom0-image
rm -rf "$dir"
mkdir -p "$dir/conf/etc"
export XS_BARE=1
ended=
end() {
    [ -z "$ended" ] && [ -f "$dir/pid" ] && kill "$(cat "$dir/pid")" 2>/dev/null || :
}
trap end EXIT

boot() {                                # on whichever port is free
    port=18443
    while ! XS_PORT=$port "$TOP/host/boot" "$dir" 2>"$dir/boot.err"; do
        grep -q 'host forwarding' "$dir/boot.err" && [ $port -lt 18463 ] || {
            cat "$dir/boot.err"
            return 1
        }
        port=$((port + 1))
    done
    cp "$dir/pid" "$dir/pid.copy"
}
says() {
    "$TOP/host/await" "$dir/console.log" "$(cat "$dir/pid.copy")" 60 "$1"
}
dom0() {
    "$TOP/host/ctl" "$dir" "$@"
}
ends() {
    timeout 30 tail -s 0.1 --pid="$(cat "$dir/pid.copy")" -f /dev/null
}

printf '%s\n' '{"replaced": true}' >"$dir/conf/etc/catalog.json"
check 'a data disk is made' "$TOP/host/data" "$dir/data.img" "$dir/conf"
check 'the machine starts' boot
refuses 'a second machine in the same folder' 'a host runs there already' env XS_PORT=1 "$TOP/host/boot" "$dir"
check 'dom0 comes up' says 'no hypervisor below'
equals 'a command gives its output' '42' "$(dom0 'echo $((6 * 7))')"
equals 'output with an empty line in it' "$(printf 'a\n\nb')" "$(dom0 'echo a; echo; echo b')"
status=0
dom0 'exit 7' || status=$?
equals 'a command gives its status' 7 "$status"
equals 'the root is read-only' 'ro,noatime' "$(dom0 "awk '\$2 == \"/\" { print \$4 }' /proc/mounts")"
equals 'a file of conf/etc stands in for the default' '{"replaced": true}' "$(dom0 'cat /etc/xs/catalog.json')"
equals "the API's secrets are not for others" '640 root 901' "$(dom0 'touch /var/lib/xs/conf/x; stat -c "%a %U %g" /var/lib/xs/conf/etc/catalog.json')"
matches 'the network is up' '10\.0\.2\.15/24' "$(dom0 'ip addr show dev eth0')"
check 'every library is found' dom0 'for f in /usr/sbin/xs-* /usr/lib/xen-4.17/bin/*; do [ ! -f $f ] || ! /lib64/ld-linux-x86-64.so.2 --list $f | grep "not found" || exit 1; done'
equals 'no driver of networks is loaded at boot' '' "$(dom0 'grep -E "^(tun|bridge|nf_tables) " /proc/modules')"
check 'they are when first used' dom0 ': </dev/net/tun && ip link add xsbr9 type bridge && nft "add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; add rule ip t c ct state new masquerade"'
check 'something is written' dom0 'echo kept >/var/lib/xs/log/test-kept'
dom0 poweroff || :                      # the line may go before the answer comes
check 'power-off is obeyed' ends
check 'in good order' says 'xs-host: stopped'
check 'the data disk is sound' xfs_repair -n -f "$dir/data.img"

check 'it starts again' boot
check 'and comes up' says 'no hypervisor below'
matches 'the data disk had been unmounted' 'Ending clean mount' "$(dom0 'dmesg | grep XFS')"
equals 'what was written is there' kept "$(dom0 'cat /var/lib/xs/log/test-kept')"
kill "$(cat "$dir/pid")"
ends || :

dd if=/dev/urandom of="$dir/data.img" bs=1M count=4 conv=notrunc 2>/dev/null
check 'a machine with a ruined data disk starts' boot
check 'and says so' says 'xs-host: FAILED the data disk /dev/vd[a-z] does not mount'
kill "$(cat "$dir/pid")"
ends || :

rm "$dir/data.img"
mke2fs -qF -t ext4 "$dir/data.img" 64m
check 'a machine with a data disk of an earlier version starts' boot
check 'and says what to do' says 'xs-host: FAILED the data disk /dev/vd[a-z] is ext4.*move it away'
kill "$(cat "$dir/pid")"
ends || :
ended=1
tap_end
