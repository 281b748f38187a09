#!/bin/sh
# A customer's volumes with a real guest: there from the start, attached, grown and detached while it runs, kept
# over a reboot and over the guest itself; snapshots of a disk in use; no faster than the flavor; and nothing left.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/disks.sh"
e2e_host

# At each start the guest says what its first disk holds, and then whatever changes about its disks.
guest_script() {
    cat <<'SCRIPT'
#!/bin/sh
if [ "$(dd if=/dev/xvda bs=8 count=1 2>/dev/null)" = XSVOLUME ]; then
    echo "xs-test: kept"
else
    printf XSVOLUME | dd of=/dev/xvda bs=8 conv=notrunc,fsync 2>/dev/null && echo "xs-test: written"
fi
watch() {
    known=none
    while :; do
        size=$(cat /sys/block/xvdb/size 2>/dev/null || echo gone)
        [ "$size" = "$known" ] || echo "xs-test: xvdb $size"
        known=$size
        usleep 200000
    done
}
watch &
SCRIPT
}

# With one byte a second the first read passes, and the next one not within an hour.
slow_script() {
    base64 -w0 <<'SCRIPT'
echo "xs-test: up"
until [ -b /dev/xvda ]; do usleep 50000; done
dd if=/dev/xvda of=/dev/null bs=4k count=9 iflag=direct &
while read done a b c d e f g waiting i </sys/block/xvda/stat; [ $done != 1 ] || [ $waiting = 0 ]; do usleep 50000; done
echo "xs-test: one read, another waits"
SCRIPT
}

volume() { call GET "/v1/volumes/$1" | jq -r ".$2"; }
volume_make() {                         # volume_make NAME MIB [SNAPSHOT]
    call POST /v1/volumes "$(jq -nc --arg n "$1" --argjson s "$2" --arg from "${3-}" \
        '{name: $n, size_mib: $s} + (if $from == "" then {} else {snapshot_id: $from} end)')" | jq -r .id
}
with_volume() {                         # with_volume INSTANCE TYPE VOLUME: as act
    action_ends "$(call POST "/v1/instances/$1/actions" "{\"type\": \"$2\", \"volume_id\": \"$3\"}" | jq -r .id)" 120
}
grown_twice() { [ "$(console "$id" | grep -c '^xs-test: xvdb 98304')" = 2 ]; }
head_of() { dom0 "head -c 8 /var/lib/xs/volumes/volume-$1.raw"; }

customer volumes 10.00
first=$(volume_make first 64)
second=$(volume_make second 32)
equals 'a volume is available' available "$(volume "$first" state)"
made=$(call POST /v1/instances "$(jq -nc --arg v "$first" --arg u "$(guest_script)" \
    '{name: "disks", image: "tiny", flavor: "xs1", volumes: [$v], user_data: $u}')")
id=$(printf '%s' "$made" | jq -r .id)
equals 'a guest with a volume from the start' succeeded "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 120)"
check 'writes to it' says "$id" 90 '^xs-test: written'
equals 'which is attached' "attached xvda $id" "$(call GET "/v1/volumes/$first" | jq -r '"\(.state) \(.device) \(.instance_id)"')"

equals 'another is attached while it runs' succeeded "$(with_volume "$id" attach "$second")"
check 'the guest sees it' says "$id" 30 '^xs-test: xvdb 65536'
refuses 'attached twice' '409' with_volume "$id" attach "$second"
refuses 'deleted while attached' '409' call DELETE "/v1/volumes/$second"
call POST "/v1/volumes/$second/resize" '{"size_mib": 48}' >/dev/null
check 'it grows while attached' says "$id" 30 '^xs-test: xvdb 98304'

snapshot=$(call POST "/v1/volumes/$first/snapshots" '{"name": "before"}' | jq -r .id)
third=$(volume_make third 80 "$snapshot")
equals 'a volume of a snapshot of a disk in use holds what was written' XSVOLUME "$(head_of "$third")"
equals 'and has its own size' 80 "$(volume "$third" size_mib)"

equals 'a reboot' succeeded "$(act "$id" reboot)"
check 'keeps what was written' says "$id" 90 '^xs-test: kept'
check 'and both volumes' poll 30 grown_twice

equals 'detached while it runs' succeeded "$(with_volume "$id" detach "$second")"
check 'the guest sees it go' says "$id" 30 '^xs-test: xvdb gone'
equals 'it is available' available "$(volume "$second" state)"
equals 'power off' succeeded "$(act "$id" power_off)"
equals 'attached to a stopped guest' succeeded "$(with_volume "$id" attach "$second")"
equals 'it will be there' xvdb "$(volume "$second" device)"

equals "a flavor's limit is shown" 1 \
    "$(call GET /v1/flavors | jq '.data[] | select(.id == "slow") | .disk_limit.bytes_per_s')"
slow=$(create slow tiny slow "xs.run=$(slow_script)")
check 'a slow guest is up' says "$slow" 90 '^xs-test: up'
equals 'and takes a volume' succeeded "$(with_volume "$slow" attach "$third")"
check 'reads once, and waits' says "$slow" 90 '^xs-test: one read, another waits'
equals 'by the count of hv, too' 1 "$(io "$(domid_of "$slow")" disk_read_ops)"
equals 'and is deleted while it waits' 'succeeded available' "$(delete "$slow") $(volume "$third" state)"

equals 'the guest is deleted' succeeded "$(delete "$id")"
equals 'its volumes are not' 'available available' "$(volume "$first" state) $(volume "$second" state)"
equals 'and hold what they held' XSVOLUME "$(head_of "$first")"
for volume in "$first" "$second" "$third"; do
    call DELETE "/v1/volumes/$volume" >/dev/null
done
call DELETE "/v1/snapshots/$snapshot" >/dev/null
equals 'no file is left' '' "$(dom0 "ls /var/lib/xs/volumes | grep -E '$first|$second|$third|$snapshot|$id' || :")"
equals 'and no node of its devices' '' \
    "$(dom0 "for n in \$(xenstore-list /local/domain/0/backend/vbd 2>/dev/null); do xenstore-ls /local/domain/0/backend/vbd/\$n; done" |
        grep -E "$first|$second|$id" || :)"
tap_end
