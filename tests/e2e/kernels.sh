#!/bin/sh
# Debian's amd64 and cloud kernels as guests, with one and with two vCPUs: each boots to its own
# init, sees Xen 4.17 and the CPUs and memory it was sold, does work, and ends when told. And the small
# guest runs the script that it is given.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

exits_of() {
    call GET "/v1/instances/$1/usage" | jq -r .exits
}
customer kernels 10.00
for image in tiny tiny-cloud; do
    case $image in
    tiny) version='-amd64 ' ;;
    tiny-cloud) version='-cloud-amd64 ' ;;
    esac
    for flavor in xs1 xs2; do
        what="$image $flavor"
        begun=$(now_ms)
        id=$(create "kernel-$image-$flavor" $image $flavor) || id=none
        matches "$what: created" '^ins_' "$id"
        check "$what: up" says "$id" 60 '^xs-guest: up'
        echo "# $what: up after $(($(now_ms) - begun)) ms"
        # The peer, with one vCPU: 104,587. A second one is woken by interrupts, and each is an exit.
        exits=$(exits_of "$id")
        case $flavor in xs1) most=3000 ;; *) most=9000 ;; esac
        check "$what: $exits exits until its init has said so, at most $most" [ "$exits" -le $most ]
        check "$what: ready" says "$id" 60 '^xs-guest: ready'
        text=$(console "$id")
        matches "$what: its kernel" "^xs-guest: Linux .*$version" "$text"
        matches "$what: sees Xen 4.17" '^xs-guest: hypervisor xen 4\.17.* uuid [0-9a-f]{8}-' "$text"
        matches "$what: its CPUs" "^xs-guest: cpus ${flavor#xs} " "$text"
        sum=$(head -c 8388608 /dev/zero | sha256sum | cut -d' ' -f1)
        matches "$what: its work" "^xs-guest: work 8 MiB sha256 $sum in [0-9]+ ms" "$text"
        equals "$what: the API says it is ready" true "$(call GET "/v1/instances/$id" | jq -r .ready)"
        echo "# $what: $(exits_of "$id") exits with its work"
        equals "$what: shuts down when asked" succeeded "$(act "$id" shutdown)"
        equals "$what: is stopped" stopped "$(state "$id")"
        matches "$what: by its own hand" '^xs-guest: poweroff' "$(console "$id")"
        equals "$what: deleted" succeeded "$(delete "$id")"
    done
done

script='for i in 1 2 3; do echo "counted $i"; done; exit 4'
for packed in cat 'gzip -9n'; do
    id=$(create "script-${packed%% *}" tiny xs1 "xs.run=$(printf %s "$script" | $packed | base64 -w0)") || id=none
    check "a script on the command line ($packed): it ends" says "$id" 60 '^xs-guest: run ended, status 4'
    equals "a script on the command line ($packed): it has run" 'counted 1 counted 2 counted 3' \
        "$(console "$id" | grep '^counted' | tr '\n' ' ' | sed 's/ $//')"
    equals "a script on the command line ($packed): deleted" succeeded "$(delete "$id")"
done
tap_end
