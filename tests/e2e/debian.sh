#!/bin/sh
# A real Debian 12 starts from its own disk, with its own kernel: it takes name and key from the seed, lets its owner
# in by ssh through the host's port, has a whole dpkg database, grows to its disk, and after a reboot its data is there
# and it is the same machine. All it did is on the bill.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

dir=$E2E/debian
rm -rf "$dir"
mkdir -p "$dir"
ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
customer debian 20.00
call POST /v1/ssh_keys "$(jq -nc --arg k "$(cat "$dir/key.pub")" '{name: "mine", public_key: $k}')" >/dev/null

begun=$(now_ms)
made=$(call POST /v1/instances '{"name": "web-1", "image": "debian-12", "flavor": "xs1m", "disk_mib": 3072,
    "network": true, "ssh_keys": ["mine"], "forward_ports": [22]}') || made='{}'
id=$(printf '%s' "$made" | jq -r .id)
equals 'created' succeeded "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 300)"
port=$(call GET "/v1/instances/$id" | jq -r .ssh.port)
matches 'a port of the host leads to its ssh' '^[0-9]+$' "$port"

inside() {
    timeout 60 ssh -i "$dir/key" -p "$port" -o BatchMode=yes -o UserKnownHostsFile="$dir/known" \
        -o StrictHostKeyChecking=accept-new -o ConnectTimeout=10 debian@127.0.0.1 "$@" 2>"$dir/ssh.err"
}
logs_in() {
    inside true || { cat "$dir/ssh.err"; return 1; }
}
comes_up() {
    poll 300 logs_in || { console "$id" | tail -n 25; return 1; }
}
check 'its owner logs in with the key' comes_up
[ "${tap_failed:-0}" -eq 0 ] || tap_end      # nothing below can be seen
echo "# ssh after $(($(now_ms) - begun)) ms"
equals 'it has its name' web-1 "$(inside hostname)"
matches 'Debian 12 with its own cloud kernel' 'bookworm.*-cloud-amd64' \
    "$(inside '. /etc/os-release; echo $VERSION_CODENAME $(uname -r)')"
matches 'on Xen' '^xen$' "$(inside cat /sys/hypervisor/type)"
matches 'dpkg knows its packages' '^install ok installed$' "$(inside "dpkg-query -W -f '\${Status}\n' openssh-server")"
equals 'none of them is half installed' '' "$(inside dpkg --audit)"
mib=$(inside 'df -m --output=size / | tail -n1' | tr -d ' ')
check "its file system has grown to its disk: $mib MiB" [ "$mib" -ge 2800 ]
equals 'sudo' 0 "$(inside sudo -n id -u)"
address=$(call GET "/v1/instances/$id" | jq -r '.addresses[0].ipv4')
matches 'its address is what the API says' "inet $address/" "$(inside ip -4 addr show dev eth0)"
equals 'nothing failed to start' '' "$(inside systemctl --failed --no-legend --plain)"
sum=$(inside 'dd if=/dev/urandom of=data bs=64k count=64 conv=fsync 2>/dev/null; sha256sum data; ls /etc/ssh/ssh_host_ed25519_key.pub >/dev/null')
check 'it keeps data' [ -n "$sum" ]

equals 'reboot' succeeded "$(act "$id" reboot)"
begun=$(now_ms)
check 'its owner logs in again, and finds the same host key' comes_up
echo "# ssh after $(($(now_ms) - begun)) ms"
equals 'the data is there' "$sum" "$(inside sha256sum data)"
equals 'and its name' web-1 "$(inside hostname)"

usage=$(call GET "/v1/instances/$id/usage")
check 'the meter has its disk' [ "$(printf '%s' "$usage" | jq -r .disk_read_ops)" -gt 1000 ]
check 'what it wrote' [ "$(printf '%s' "$usage" | jq -r .disk_write_bytes)" -ge 4194304 ]
check 'its packets' [ "$(printf '%s' "$usage" | jq -r .net_tx_packets)" -gt 50 ]
equals 'powered off' succeeded "$(act "$id" power_off)"
equals 'rebuilt' succeeded "$(act "$id" rebuild image debian-12)"
equals 'started' succeeded "$(act "$id" start)"
rm "$dir/known"                         # another machine by its key: that is what was asked for
check 'its owner logs in to a new one' comes_up
equals 'with the same name and address' "web-1 1" "$(inside hostname) $(inside ip -4 addr show dev eth0 | grep -c "inet $address/")"
check 'and nothing on its disk' inside test ! -e data
equals 'deleted' succeeded "$(delete "$id")"
check 'its last record is signed' poll 60 record_is "$id" end
check 'a bill' poll 10 new_invoice
matches 'with disk and packets on it' 'disk_bytes disk_ops .*net_bytes_in net_bytes_out net_packets' \
    "$(call GET "/v1/invoices/$(jq -r .id "$E2E/invoice")" | jq -r '[.lines[].meter] | unique | join(" ")')"
tap_end
