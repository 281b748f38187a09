#!/bin/sh
# For the tests that play dom0 in a network namespace of their own (sourced after tap.sh, by a script that can be started
# again): dom0 is this namespace, `world` is what its eth0 leads to, guests are what guest_up makes.
if [ -z "${XS_IN_NAMESPACE-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -nm true 2>/dev/null; then
        echo '1..0 # SKIP no right to make network namespaces'
        exit 0
    fi
    XS_IN_NAMESPACE=1 exec unshare -nm --propagation private "$0"
fi
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/out

in_world() { ip netns exec world "$@"; }
guest() { who=$1 && shift && ip netns exec "$who" "$@"; }

# guest_up NAME NETWORK HOST
guest_up() {
    ip netns add "$1"
    ip link add "v$1" type veth peer name eth0 netns "$1"
    ip link set "v$1" master "xsbr$2" up
    guest "$1" ip link set lo up
    guest "$1" ip addr add "10.77.$2.$3/24" dev eth0
    guest "$1" ip link set eth0 up
    guest "$1" ip route add default via "10.77.$2.1"
}

pings() { guest "$1" busybox ping -c 1 -W 2 "$2"; }
silent() { ! guest "$1" busybox ping -c 1 -W 1 "$2"; }

# serve WHERE ADDRESS PORT: answers each TCP connection with the peer's address
serve() {
    ip netns exec "$1" python3 -c '
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
while True:
    peer, address = server.accept()
    peer.sendall(address[0].encode())
    peer.close()' "$2" "$3" >"/run/out/$1.$3" &
    servers="${servers-} $!"
    until grep -q listens "/run/out/$1.$3"; do
        kill -0 $! || return 1
        busybox usleep 20000
    done
}

# asks WHERE ADDRESS PORT: what a server answers there; fails after a second
asks() {
    ip netns exec "$1" python3 -c '
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).recv(64).decode())' "$2" "$3" 2>&1
}
unheard() { ! asks "$@"; }

# spoofs WHERE FROM TO: one UDP packet under another address
spoofs() {
    guest "$1" ip addr add "$2/32" dev lo
    ip netns exec "$1" python3 -c '
import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.bind((sys.argv[1], 0))
out.sendto(b"x", (sys.argv[2], 5353))' "$2" "$3"
    guest "$1" ip addr del "$2/32" dev lo
}

passed() {                              # IP packets that dom0 let out to the world
    in_world awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp
}

ip link set lo up
ip netns add world
ip link add eth0 type veth peer name eth0 netns world
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
in_world ip addr add 10.0.2.2/24 dev eth0
in_world ip addr add 10.0.2.3/24 dev eth0
in_world ip addr add 203.0.113.7/32 dev eth0
in_world ip link set eth0 up
in_world ip link set lo up

# rig_end GUEST...
rig_end() {
    # shellcheck disable=SC2086  # a list of numbers
    kill $servers 2>/dev/null
    for name in world "$@"; do
        ip netns del "$name"
    done
}
