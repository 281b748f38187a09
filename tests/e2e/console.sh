#!/bin/sh
# A guest's console by `xs console`: a command is typed into the guest and answered; two viewers; and neither a killed api,
# provisioner or xenconsoled nor a reboot of the guest loses or doubles a byte.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

dir=$(mktemp -d)
trap 'exec 8>&- 9>&-; rm -rf "$dir"' EXIT
customer console 10.00
one=$(create console-1 tiny xs1) || one=none
two=$(create console-2 tiny xs1) || two=none
check 'the first runs' says "$one" 60 '^xs-guest: ready'
check 'the second runs' says "$two" 60 '^xs-guest: ready'

watch() {                               # watch NAME INSTANCE: a viewer that reads $dir/NAME.keys and writes $dir/NAME.seen
    mkfifo "$dir/$1.keys"
    XS_URL=$API XS_KEY=$KEY "$BUILD/xs" --ca "$E2E/secret/conf/tls.crt" console "$2" <"$dir/$1.keys" >"$dir/$1.seen" 2>"$dir/$1.said" 8>&- 9>&- &
}
seen() { tr -d '\r' <"$dir/$1.seen" | grep -q -e "$2"; }
sees() {                                # sees NAME PATTERN: within a minute
    poll 60 seen "$1" "$2" || { cat "$dir/$1.said" "$dir/$1.seen"; return 1; }
}
watch first "$one"
exec 8>"$dir/first.keys"
watch second "$one"
exec 9>"$dir/second.keys"
check 'a viewer sees what was written before' sees first '^xs-guest: ready'

printf 'echo typed by the first\n' >&8
check 'what is typed is answered' sees first '^xs-guest: typed by the first'
check 'and another viewer sees it' sees second '^xs-guest: typed by the first'
printf 'echo typed by the second\n' >&9
check 'who types too' sees first '^xs-guest: typed by the second'
printf 'report\n' >&8
check 'a report' sees first '^xs-guest: cpus 1 memory_kib'

service_kill() { dom0 "kill -9 \$(cat /run/sv/$1/supervise/pid)"; }
# What is typed before it is there again is lost, so it is typed again.
answers() {
    printf 'echo %s\n' "$2" >&8
    seen first "^xs-guest: $2"
}
for service in api provisioner xenconsoled; do
    service_kill $service
    check "$service is killed: the same viewer goes on" poll 60 answers first "after-$service"
done
equals 'the guest is rebooted' succeeded "$(act "$one" reboot)"
check 'and the same viewer goes on' poll 60 answers first after-reboot
check 'nothing of it came to the other guest' sh -c '! grep -q after-' <<EOF
$(console "$two")
EOF

# Each byte once: what a viewer has seen is the end of the log.
whole() {
    dom0 "cat /var/lib/xs/console/guest-$one.log" >"$dir/log"
    tail -c "$(stat -c %s "$dir/$1.seen")" "$dir/log" | cmp - "$dir/$1.seen"
}
check 'the first viewer has seen each byte once' poll 20 whole first
check 'and so has the second' poll 20 whole second

printf '\035' >&8
exec 9>&-
wait
check 'Ctrl-] detaches' grep -q detached "$dir/first.said"
check 'and so does the end of the input' grep -q detached "$dir/second.said"
equals 'delete' succeeded "$(delete "$one")"
equals 'delete the other' succeeded "$(delete "$two")"
tap_end
