#!/bin/sh
# Guests' networks: addresses by DHCP, who reaches whom, what a guest cannot say in another's name, the way in by a
# forwarded port; and each packet and byte that the guest counts is one that hv counts, and one that is billed.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/nics.sh"
e2e_host

pings='p(){ $b ping -c3 -w4 $1 >/tmp/p&&echo pings $1||echo silent $1;}'
customer net-a 10.00
web=$(rent web 'echo from-the-guest >/tmp/x;$b httpd -p 80 -h /tmp;count' 80) || web=none
web_key=$KEY
check 'a guest has its address by DHCP' says "$web" 90 '^udhcpc: lease of 10\.77\.[0-9]+\.[0-9]+ obtained'
web_ip=$(address "$web")
matches 'which is the one that the API names' "lease of $web_ip obtained" "$(console "$web")"
gateway=${web_ip%.*}.1
network=${gateway%.1} network=${network##*.}
port=$(call GET "/v1/instances/$web" | jq -r '.forwards[0].port')
from_outside() { curl -sS --max-time 5 "http://127.0.0.1:$port/x" | grep -x from-the-guest; }
check "the guest's port 80 is reached from outside" poll 20 from_outside

# Its neighbour, which then speaks under the address .77, and with another MAC.
neighbour=$(rent neighbour "$pings;p $web_ip;p $gateway;p 10.0.2.2;\$b ip a a ${gateway%.*}.77/24 dev eth0
\$b ping -c2 -w2 -I ${gateway%.*}.77 $web_ip|\$b grep loss;\$b ip a d ${gateway%.*}.77/24 dev eth0
i=\"\$b ifconfig eth0\";\$i down;\$i hw ether 02:00:00:00:00:77;\$i up;\$b ping -c2 -w2 $web_ip|\$b grep loss;count") || neighbour=none
check 'its neighbour has done its part' says "$neighbour" 150 '^count '
shown=$(console "$neighbour")
matches 'guests of one customer reach each other' "^pings $web_ip\$" "$shown"
matches 'and their gateway' "^pings $gateway\$" "$shown"
matches "but not the owner's network" '^silent 10\.0\.2\.2$' "$shown"
equals 'under another address or MAC nobody is reached' 2 "$(printf '%s\n' "$shown" | grep -c ' 0 packets received, 100% packet loss')"
drops() { call GET "/v1/instances/$1/usage" | jq -r .net_tx_drops; }
check 'those packets are counted as dropped' [ "$(drops "$neighbour")" -ge 2 ]
check 'and all are counted as sent: guest and hv agree to the byte' poll 20 agree "$neighbour"

KEY=$web_key
netbacks() { dom0 'pidof xs-netback'; }
for n in 1 2 3; do
    before=$(netbacks)
    dom0 "kill -9 $before"
    check "every netback is killed ($n): the port answers again" poll 30 from_outside
    differs() { [ -n "$(netbacks)" ] && [ "$(netbacks)" != "$before" ]; }
    check "by another process ($n)" differs
done
check 'guest and hv agree to the byte' poll 60 agree "$web"

customer net-b 10.00
stranger=$(rent stranger "$pings;p $web_ip;g=\$(\$b route -n|\$b awk '/^0/{print \$2}');p \$g
\$b arp -s \$g \$(\$b arp -n \$g|\$b cut -d' ' -f4);count") || stranger=none
check "another customer's guest has done its part" says "$stranger" 120 '^count '
shown=$(console "$stranger")
matches "the first customer's guest is not reached" "^silent $web_ip\$" "$shown"
matches 'its own gateway is' "^pings $(address "$stranger" | sed 's/[0-9]*$/1/')\$" "$shown"
knows_for_good "$stranger"
check 'guest and hv agree to the byte' poll 20 agree "$stranger"
equals 'nothing of it was dropped' 0 "$(drops "$stranger")"

# What it is charged for: packets both ways, bytes out, bytes in with their Ethernet headers.
due=$(said "$stranger" | awk '{ print $1 + $3, $4, $2 + 14 * $1 }')
equals 'delete' succeeded "$(delete "$stranger")"
check 'its last record is signed' poll 60 record_is "$stranger" end
check 'an invoice' poll 10 new_invoice
equals "the bill has the guest's own count, to the packet and byte" "$due" "$(jq -r '[.lines[] | {(.meter): .quantity}] | add |
    "\(.net_packets) \(.net_bytes_out) \(.net_bytes_in)"' "$E2E/invoice")"
KEY=$web_key
equals 'delete' succeeded "$(delete "$neighbour")"
equals 'delete' succeeded "$(delete "$web")"
nobody_answers() { ! curl -s --max-time 2 "http://127.0.0.1:$port/x"; }
check "then the forwarded port leads nowhere" nobody_answers
left() { dom0 "ls -d /sys/class/net/xsbr${network} 2>/dev/null; nft list map inet xs forwards | grep ' 10[.]77[.]${network}[.]' || :"; }
nothing_left() { [ -z "$(left)" ]; }
check 'no bridge and no forward of that customer is left' poll 10 nothing_left
tap_end
