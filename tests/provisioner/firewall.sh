#!/bin/sh
# Guests' firewalls as the kernel has them, on the rules that dom0 loads (network-rig.sh). a1 has one, a2 and b1 do not.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/provisioner/network-rig.sh"
verbs=$PWD/tests/provisioner/network-verbs

firewall() { "$verbs" firewall 10.77.1.2 "$1"; }
# hears PORT COMMAND...: whether it brings a UDP packet to that port in the world
hears() {
    port=$1 && shift
    before=$(in_world awk '/^Udp: [0-9]/ { print $2 + $3 }' /proc/net/snmp)
    "$@" 203.0.113.7 "$port"
    busybox usleep 200000
    [ "$(in_world awk '/^Udp: [0-9]/ { print $2 + $3 }' /proc/net/snmp)" -gt "$before" ]
}
tells() {
    guest "$1" python3 -c '
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (sys.argv[1], int(sys.argv[2])))' "$2" "$3" 2>/dev/null || true
}
unheard_udp() { ! hears "$@"; }

# keeps WHERE ADDRESS PORT NAME: a connection that sends a byte for each line it is given and says what came back
keeps() {
    mkfifo "/run/out/$4.in"
    ip netns exec "$1" python3 -u -c '
import socket, sys
held = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
held.settimeout(1)
print("open")
for line in sys.stdin:
    held.sendall(b"x")
    try:
        print("echo" if held.recv(1) else "closed")
    except OSError:
        print("silence")' "$2" "$3" <"/run/out/$4.in" >"/run/out/$4.out" 2>&1 &
    servers="$servers $!"
}
# says NAME: the last word of that connection after one more byte
says() {
    lines=$(wc -l <"/run/out/$1.out")
    echo >"/run/out/$1.in.w"
    until [ "$(wc -l <"/run/out/$1.out")" -gt "$lines" ]; do busybox usleep 20000; done
    tail -n 1 "/run/out/$1.out"
}
echoes() {                              # WHERE ADDRESS PORT: a server that gives back what it is told
    ip netns exec "$1" python3 -u -c '
import socket, sys, threading
def serve(peer):
    while data := peer.recv(1):
        peer.sendall(data)
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens")
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()' "$2" "$3" >"/run/out/echo.$1.$3" 2>&1 &
    servers="$servers $!"
    until grep -q listens "/run/out/echo.$1.$3"; do busybox usleep 20000; done
}

equals 'before the first network there are no firewalls' '' "$("$verbs" firewalls)"
"$verbs" up 1 && "$verbs" up 2
guest_up a1 1 2
guest_up a2 1 3
guest_up b1 2 2
in_world ip addr add 10.0.2.9/24 dev eth0
serve world 203.0.113.7 80
serve world 203.0.113.7 443
serve world 10.0.2.2 80
serve world 10.0.2.3 53
serve a1 10.77.1.2 22
serve a1 10.77.1.2 80
serve a2 10.77.1.3 22
echoes a1 10.77.1.2 7
echoes world 203.0.113.7 7
"$verbs" forward 22000 10.77.1.2 22
"$verbs" forward 22001 10.77.1.2 80
"$verbs" forward 22002 10.77.1.3 22
"$verbs" forward 22003 10.77.1.2 7
asks_as() {                             # FROM PORT: what a1 or a2 answers there to this address of the world
    in_world python3 -c '
import socket, sys
print(socket.create_connection(("10.0.2.15", int(sys.argv[2])), 1, (sys.argv[1], 0)).recv(64).decode())' "$1" "$2" 2>&1
}
refuses() { ! asks_as "$@"; }

equals 'without a firewall both ports are reached' '10.0.2.2 10.0.2.2' "$(asks_as 10.0.2.2 22000) $(asks_as 10.0.2.2 22001)"
check 'a firewall for one of them' firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"22"}]}'
check 'and again' firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"22"}]}'
equals 'it is listed' 0a4d0102 "$("$verbs" firewalls)"
equals 'the rule names the port of the guest, and that one is reached' 10.0.2.2 "$(asks_as 10.0.2.2 22000)"
check 'the other is not' refuses 10.0.2.2 22001
equals 'nor is it anything to the neighbour' 10.0.2.2 "$(asks_as 10.0.2.2 22002)"
equals 'which reaches it inside their network as before' 10.77.1.3 "$(asks a2 10.77.1.2 80)"
equals 'the guest reaches the world' 10.0.2.15 "$(asks a1 203.0.113.7 80)"
equals 'and the resolver' 10.0.2.15 "$(asks a1 10.0.2.3 53)"
check 'its gateway' pings a1 10.77.1.1
check 'and the world answers its ping' pings a1 203.0.113.7
check "the owner's network stays forbidden" unheard a1 10.0.2.2 80

firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"20-30","source":"10.0.2.9"},{"protocol":"udp"}]}'
equals 'a source that is allowed gets in' 10.0.2.9 "$(asks_as 10.0.2.9 22000)"
check 'another does not' refuses 10.0.2.2 22000
firewall '{"enabled":true}'
check 'without rules nothing gets in' refuses 10.0.2.9 22000
equals 'and all gets out' 10.0.2.15 "$(asks a1 203.0.113.7 443)"

firewall '{"enabled":true,"outbound":[{"protocol":"tcp","ports":"443","destination":"203.0.113.0/24"},{"protocol":"udp","ports":"123"},{"protocol":"tcp","ports":"80","destination":"10.0.0.0/8"}]}'
equals 'outbound, what a rule allows gets out' 10.0.2.15 "$(asks a1 203.0.113.7 443)"
check 'what none allows does not' unheard a1 203.0.113.7 80
check 'UDP to an allowed port gets out' hears 123 tells a1
check 'to another not' unheard_udp 124 tells a1
check 'nor does ping' silent a1 203.0.113.7
equals 'the resolver is always there' 10.0.2.15 "$(asks a1 10.0.2.3 53)"
check "no rule opens the owner's network" unheard a1 10.0.2.2 80
equals 'a guest without a firewall goes on' 10.0.2.15 "$(asks b1 203.0.113.7 80)"

# Connections that exist.
firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"7"}]}'
keeps world 10.0.2.15 22003 in
keeps a1 203.0.113.7 7 out
for name in in out; do
    ln -s "$name.in" "/run/out/$name.in.w"
done
exec 8>/run/out/in.in 9>/run/out/out.in
for name in in out; do
    until grep -qs open "/run/out/$name.out"; do busybox usleep 20000; done
done
equals 'a connection from outside, one from the guest' 'echo echo' "$(says in) $(says out)"
firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"7"},{"protocol":"tcp","ports":"22"}]}'
equals 'go on after a change that allows them' 'echo echo' "$(says in) $(says out)"
check 'loading the rules of the host again (a new provisioner) keeps firewalls' "$verbs" up 1
equals 'and connections' 'echo echo' "$(says in) $(says out)"
check 'and what is forbidden' refuses 10.0.2.2 22001
firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"22"}]}'
equals 'what is no longer allowed in ends, what the guest began goes on' 'silence echo' "$(says in) $(says out)"
firewall '{"enabled":true,"outbound":[{"protocol":"tcp","ports":"443"}]}'
equals 'what is no longer allowed out ends' 'silence' "$(says out)"
exec 8>&- 9>&-

# Changes while somebody tries without end: the port is in no version of the rules.
in_world python3 -c '
import socket, sys, time
until, got, tries = time.time() + 6, 0, 0
while time.time() < until:
    s = socket.socket()
    s.settimeout(0.02)
    tries += 1
    try:
        s.connect(("10.0.2.15", 22001)); got += 1
    except OSError:
        pass
    s.close()
print(got, "of", tries > 50)' >/run/out/tries &
tries=$!
changes=0
while kill -0 $tries 2>/dev/null; do
    firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"22"}],"outbound":[{"protocol":"tcp"}]}'
    firewall '{"enabled":true,"inbound":[{"protocol":"tcp","ports":"23-79"},{"protocol":"icmp"}]}'
    "$verbs" up 1
    changes=$((changes + 3))
done
check 'the rules were changed many times' [ $changes -gt 30 ]
equals 'and not once did what no version allows get through' '0 of True' "$(cat /run/out/tries)"

check 'a firewall that is not enabled' firewall '{"enabled":false,"inbound":[{"protocol":"tcp","ports":"22"}]}'
check 'and again' firewall '{"enabled":false}'
equals 'is none' '' "$("$verbs" firewalls)"
equals 'nothing of it is left' '' "$(nft list ruleset | grep -E '(to|from)-10')"
equals 'and the port is reached' 10.0.2.2 "$(asks_as 10.0.2.2 22001)"

"$PWD/tests/provisioner/firewall" 60 >/run/out/generated
check 'nft takes whatever rules are made' nft -f /run/out/generated
matches 'all of them' 'to-10\.77\.1\.4' "$(nft list map inet xs inbound)"

rig_end a1 a2 b1
tap_end
