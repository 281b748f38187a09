#!/bin/sh
# Disk and network from the guest's own count to the invoice: known operations, packets and bytes, the same
# number in the guest, in hv's counters as the API shows them live, and on the bill, which xs-verify computes again.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
customer bill 5.00

dir=$E2E/device-bill
rm -rf "$dir"
mkdir -p "$dir"

# In the guest: 64 writes of 16 KiB and 16 reads of 64 KiB past the page cache, a flush; an address by DHCP, 20 pings. IPv6
# would talk by itself. The counts are printed until the end: of the disk as disk_* has them (Linux counts a flush as a
# write without sectors, too), then of the network: netfront counts what it sends as a frame, and what it receives
# without the 14 bytes of the frame's header.
cat >"$dir/script" <<'GUEST'
#!/bin/sh
for off in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e "$off" ] || echo 1 >"$off"; done
echo 'ip addr add $ip/24 dev eth0; echo $router >/tmp/gateway' >/tmp/lease
sed -i '1i [ "$1" = bound ] || exit 0' /tmp/lease
sed -i '1i #!/bin/sh' /tmp/lease
chmod +x /tmp/lease
dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
dd if=/tmp/data of=/dev/xvda bs=16k oflag=direct conv=fsync 2>/dev/null
dd if=/dev/xvda of=/tmp/back bs=64k count=16 iflag=direct 2>/dev/null
cmp /tmp/data /tmp/back && echo "bill: same"
ip link set eth0 up
udhcpc -i eth0 -n -q -t 20 -s /tmp/lease >/dev/null 2>&1
read -r gateway </tmp/gateway
ping -q -c 20 -i 0.2 -s 1000 "$gateway" >/tmp/pings
arp -s "$gateway" "$(arp -n "$gateway" | cut -d' ' -f4)"
grep -q '20 packets received' /tmp/pings && echo "bill: pinged"
net=/sys/class/net/eth0/statistics
while :; do
    echo "counts $(cat /sys/block/xvd*/stat | awk '{ r += $1; rs += $3; w += $5; ws += $7; d += $12; f += $16 }
        END { print r, w - f, f, d, rs * 512, ws * 512 }') $(cat $net/rx_packets) $(cat $net/tx_packets) $(($(cat \
        $net/rx_bytes) + 14 * $(cat $net/rx_packets))) $(cat $net/tx_bytes) end"
    sleep 1
done
GUEST
volume=$(call POST /v1/volumes '{"name": "bill", "size_mib": 16}' | jq -r .id)
made=$(call POST /v1/instances "$(jq -nc --rawfile s "$dir/script" --arg v "$volume" '{name: "bill", image: "tiny",
    flavor: "xs1", network: true, volumes: [$v], user_data: $s}')")
id=$(printf '%s' "$made" | jq -r .id)
equals 'a guest with a disk and a network' succeeded "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 120)"
check 'guest: data comes back from the disk' says "$id" 90 'bill: same'
check 'guest: the gateway answers' says "$id" 90 'bill: pinged'
knows_for_good "$id"
check 'guest: counted' says "$id" 60 'counts .* end'

COUNTERS='[.disk_read_ops, .disk_write_ops, .disk_flush_ops, .disk_discard_ops, .disk_read_bytes, .disk_write_bytes,
    .net_rx_packets, .net_tx_packets, .net_rx_bytes, .net_tx_bytes] | join(" ")'
guest_count() { console "$id" | sed -n 's/^counts \(.*\) end$/\1/p' | tail -n1; }
hv_count() { call GET "/v1/instances/$id/usage" | jq -r "$COUNTERS"; }
same() { [ "$(guest_count)" = "$(hv_count)" ]; }
check "hv's counts are the guest's own, to the byte and packet" poll 60 same
guest=$(guest_count)
echo "# guest: $guest"
echo "# hv:    $(hv_count)"
# shellcheck disable=SC2086
set -- $guest
check 'read: what the script did at least' [ "$1" -ge 16 ]
check 'written: in 64 operations at least' [ "$2" -ge 64 ]
equals 'written: the 1 MiB and nothing else' 1048576 "$6"
check 'sent: the lease, an ARP and 20 pings at least' [ "$8" -ge 23 ]

equals 'deleted' succeeded "$(delete "$id")"
equals 'its end added nothing' "$guest" "$(hv_count)"
check 'its last record is signed' poll 60 record_is "$id" end
check 'a bill' poll 10 new_invoice
invoice=$(jq -r .id "$E2E/invoice")
call GET "/v1/invoices/$invoice" >"$dir/lines"
line() { jq -r --arg m "$1" '[.lines[] | select(.meter == $m) | .quantity] | join(" ")' "$dir/lines"; }
equals 'the bill: disk operations' "$(($1 + $2 + $3 + $4))" "$(line disk_ops)"
equals 'the bill: bytes of the disk' "$(($5 + $6))" "$(line disk_bytes)"
equals 'the bill: packets' "$(($7 + $8))" "$(line net_packets)"
equals 'the bill: bytes in' "$9" "$(line net_bytes_in)"
equals 'the bill: bytes out' "${10}" "$(line net_bytes_out)"
bundle() {
    curl -sS --cacert "$E2E/secret/conf/tls.crt" -H "Authorization: Bearer $KEY" -o "$dir/bundle.tar" \
        "$API/v1/invoices/$invoice/bundle"
}
bundle
check 'xs-verify computes the same from the records' "$BUILD/client/xs-verify" "$dir/bundle.tar"
call DELETE "/v1/volumes/$volume" >/dev/null
tap_end
