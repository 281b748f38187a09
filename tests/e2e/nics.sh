# What the tests of guests' networks share: a guest with a NIC that runs a script, and its count beside hv's.
#
# Sourced after lib.sh. A script travels on the kernel's command line, so it is written tightly.
# shellcheck shell=sh

# What every script begins with. IPv6 is off: its own packets come at times of their own. `count` never ends: it says what the
# guest has counted, and again whenever that has changed.
begin='b=/bin/busybox;s=/sys/class/net/eth0/statistics;n(){ $b cat $s/rx_packets $s/rx_bytes $s/tx_packets $s/tx_bytes|$b xargs;}
count(){ o=;while :;do c=$(n);[ "$o" = "$c" ]||echo count $c;o=$c;$b sleep 1;done;}
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;$b udhcpc -qni eth0;
'

# rent NAME SCRIPT [GUEST-PORT]: a tiny guest with a network that runs the script; prints its id
rent() {
    words=xs.run=$(printf '%s%s' "$begin" "$2" | gzip -9 | base64 -w0)
    made=$(call POST /v1/instances "$(jq -nc --arg n "$1" --arg c "$words" --arg p "${3-}" \
        '{name: $n, image: "tiny", flavor: "xs1", network: true, cmdline: $c} +
         (if $p == "" then {} else {forward_ports: [$p | tonumber]} end)')") || return 1
    [ "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 120)" = succeeded ] || return 1
    printf '%s' "$made" | jq -r .id
}

address() { call GET "/v1/instances/$1" | jq -r '.addresses[0].ipv4'; }

# counted INSTANCE: what hv has counted, as the guest says it. The guest's driver counts received frames without
# their Ethernet header of 14 bytes.
counted() {
    call GET "/v1/instances/$1/usage" | jq -r '[.net_rx_packets, .net_rx_bytes, .net_tx_packets, .net_tx_bytes] | map(tonumber) |
        [.[0], .[1] - 14 * .[0], .[2], .[3]] | map(tostring) | join(" ")'
}
said() { console "$1" | sed -n 's/^count //p' | tail -n 1; }
agree() { [ "$(counted "$1")" = "$(said "$1")" ]; }
