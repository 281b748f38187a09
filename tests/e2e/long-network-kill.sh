#!/bin/sh
# kill -9 of the NICs' backends at random moments while one guest streams to another: each transfer arrives whole, no link
# error is seen, and what the guests have counted is what hv has counted. XS_KILLS (100) kills.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/e2e/nics.sh"
kills=${XS_KILLS:-100}
e2e_host
customer net-kills 20.00

sink=$(rent sink 'while $b nc -l -p 5000 >/tmp/f;[ $($b wc -c </tmp/f) != 4 ];do echo got $($b md5sum </tmp/f);done
echo errors $($b cat $s/rx_errors $s/tx_errors|$b xargs);count') || sink=none
check 'the one that listens is up' says "$sink" 90 '^udhcpc: lease'
to=$(call GET "/v1/instances/$sink" | jq -r '.addresses[0].ipv4')
source=$(rent source "\$b dd if=/dev/urandom of=/tmp/f bs=1M count=2;echo sent \$(\$b md5sum </tmp/f);e=\$((\$(\$b date +%s)+$((kills * 3))))
c(){ until \$b nc -w 120 $to 5000 <\$1;do \$b sleep 1;done;}
while [ \$(\$b date +%s) -lt \$e ];do c /tmp/f;done;echo end>/tmp/e;c /tmp/e;echo errors \$(\$b cat \$s/rx_errors \$s/tx_errors|\$b xargs);count") || source=none
check 'the first transfer arrives' says "$sink" 90 '^got '

# At least a second between two: more than 10 deaths in 10 s would be taken for a fault of ours, and the NIC closed.
done=0
while [ "$done" -lt "$kills" ] && ! console_says "$source" '^errors '; do
    dom0 "sleep 1.$(od -An -N1 -tu1 /dev/urandom | tr -d ' '); kill -9 \$(pidof xs-netback)" >/dev/null || :
    done=$((done + 1))
done
check "$done kills during the stream" [ "$done" -ge $((kills * 2 / 3)) ]
check 'the stream ends' says "$source" 300 '^count '
check 'and is heard to its end' says "$sink" 60 '^count '
equals 'each transfer arrived whole' "$(console "$source" | sed -n 's/^sent //p')" "$(console "$sink" | sed -n 's/^got //p' | sort -u)"
equals 'no guest saw an error' 'errors 0 0 errors 0 0' "$({ console "$source"; console "$sink"; } | grep '^errors' | xargs)"
check 'the sender and hv agree to the byte' poll 60 agree "$source"
check 'the receiver and hv agree to the byte' poll 60 agree "$sink"
equals 'deleted' 'succeeded succeeded' "$(delete "$source") $(delete "$sink")"
tap_end
