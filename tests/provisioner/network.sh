#!/bin/sh
# dom0's networks as the kernel has them: the provisioner's verbs and the rules that dom0 loads, in network namespaces
# of their own. This one is dom0; `world` is what its eth0 leads to; a1, a2 (network 1) and b1
# (network 2) are guests that no backend filters.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
if [ -z "${XS_IN_NAMESPACE-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare -nm true 2>/dev/null; then
        echo '1..0 # SKIP no right to make network namespaces'
        exit 0
    fi
    XS_IN_NAMESPACE=1 exec unshare -nm --propagation private "$0"
fi
verbs=$PWD/tests/provisioner/network-verbs
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

equals 'before the first network there are no forwards' '' "$("$verbs" forwards)"
equals 'and no rules were loaded to say so' '' "$(nft list tables)"
check 'network 1 comes up' "$verbs" up 1
check 'and again' "$verbs" up 1
check 'network 2 comes up' "$verbs" up 2
equals 'both are listed' '1 2' "$("$verbs" list | sort -n | tr '\n' ' ' | sed 's/ $//')"
matches 'the gateway has its address' '10\.77\.1\.1/24' "$(ip addr show dev xsbr1)"
matches 'and its MAC' 'fe:78:73:00:00:01' "$(ip link show dev xsbr1)"
equals 'and no IPv6' '' "$(ip -6 addr show dev xsbr1)"

guest_up a1 1 2
guest_up a2 1 3
guest_up b1 2 2
matches 'the gateway keeps its MAC' 'fe:78:73:00:00:01' "$(ip link show dev xsbr1)"
check 'guests of one network reach each other' pings a1 10.77.1.3
check 'a guest reaches its gateway' pings a1 10.77.1.1
check 'but not the gateway of another network' silent a1 10.77.2.1
check 'nor a guest there' silent a1 10.77.2.2
check "nor dom0's other address" silent a1 10.0.2.15
check "nor the owner's network" silent a1 10.0.2.2

serve world 203.0.113.7 80
serve world 10.0.2.2 80
serve world 10.0.2.3 53
equals "a guest reaches the world under dom0's address" 10.0.2.15 "$(asks a1 203.0.113.7 80)"
equals 'and the resolver' 10.0.2.15 "$(asks a1 10.0.2.3 53)"
check 'but no other port of it' unheard a1 10.0.2.3 80
check "nor a server in the owner's network" unheard a1 10.0.2.2 80
python3 -m http.server 8443 >/dev/null 2>&1 &
servers="${servers-} $!"
check "dom0's API port is not for guests, by the gateway" unheard a1 10.77.1.1 8443
check 'nor by its own address' unheard a1 10.0.2.15 8443

before=$(passed)
spoofs a1 10.77.1.3 203.0.113.7
spoofs a1 10.77.2.2 203.0.113.7
spoofs a1 192.0.2.1 203.0.113.7
equals "under its neighbour's address only what its own network could say passes" 1 $(($(passed) - before))
before=$(passed)
check 'from the world nobody speaks as a guest' spoofs world 10.77.1.9 10.77.1.2
in_world ip route add 10.77.0.0/16 via 10.0.2.15
check 'nor reaches one by its own address' sh -c '! ip netns exec world busybox ping -c 1 -W 1 10.77.1.2'
in_world ip route del 10.77.0.0/16

serve a1 10.77.1.2 22
serve a2 10.77.1.3 22
check 'a port is forwarded' "$verbs" forward 22000 10.77.1.2 22
check 'and again' "$verbs" forward 22000 10.77.1.2 22
check 'another one' "$verbs" forward 22001 10.77.1.3 22
equals 'both are listed' '22000 0a4d0102 22
22001 0a4d0103 22' "$("$verbs" forwards | sort)"
equals 'the guest is reached, and sees who asks' 10.0.2.2 "$(asks world 10.0.2.15 22000)"
check 'a port changes its guest' "$verbs" forward 22000 10.77.1.3 22
equals 'which is reached' 10.0.2.2 "$(asks world 10.0.2.15 22000)"
check "other ports of the guest are not reached" unheard world 10.0.2.15 22
check 'loading the rules again (a new provisioner) keeps forwards and networks' "$verbs" up 1
equals 'the forward still works' 10.0.2.2 "$(asks world 10.0.2.15 22001)"
equals 'and the way out' 10.0.2.15 "$(asks b1 203.0.113.7 80)"
check 'a forward ends' "$verbs" unforward 22000
check 'and again' "$verbs" unforward 22000
check 'then nobody is there' unheard world 10.0.2.15 22000

check 'network 2 goes down' "$verbs" down 2
check 'and again' "$verbs" down 2
equals 'it is gone' 1 "$("$verbs" list)"
check 'network 1 lives on' pings a1 10.77.1.3

# shellcheck disable=SC2086  # a list of numbers
kill $servers
for name in world a1 a2 b1; do
    ip netns del $name
done
tap_end
