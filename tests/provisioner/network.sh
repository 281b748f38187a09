#!/bin/sh
# dom0's networks as the kernel has them: the provisioner's verbs and the rules that dom0 loads, in network namespaces
# of their own (network-rig.sh). a1, a2 (network 1) and b1 (network 2) are guests that no backend filters.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/provisioner/network-rig.sh"
verbs=$PWD/tests/provisioner/network-verbs

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

rig_end a1 a2 b1
tap_end
