# What the end-to-end tests share: a host, customers, calls of the API.
#
# Sourced with TOP set, after host/lib.sh and tests/tap/tap.sh. ./test starts
# one host for all of them; a test run by itself starts it, and leaves it for
# the next one (end it with `host/ctl state/test-host/run poweroff`).
# shellcheck shell=sh disable=SC2034

E2E=$STATE/test-host
RUN=$E2E/run
API=''
KEY=''                                  # whose calls follow

# e2e_disk: a data disk with its own keys, the small kernels as images, records each second
e2e_disk() {
    rm -rf "$E2E"
    mkdir -p "$E2E/conf/etc" "$RUN"
    for kernel in "$BUILD"/tests/guest/*.elf; do
        cp "$kernel" "$E2E/conf/"
    done
    cp "$BUILD/tests/e2e/probe" "$E2E/conf/probe"
    e2e_catalog >"$E2E/conf/etc/catalog.json"
    jq '.limits |= map_values(. * 20) | .limits.logins_per_minute = 100' "$TOP/host/dom0/etc/xs/api.conf" >"$E2E/conf/etc/api.conf"
    jq '.interval_s = 2' "$TOP/host/dom0/etc/xs/accountd.conf" >"$E2E/conf/etc/accountd.conf"
    XS_SECRET=$E2E XS_DATA=$E2E/data.img "$TOP/host/secrets"
}

# e2e_catalog: the host's own, and each small kernel as an image, and sizes for them
e2e_catalog() {
    jq --arg kernels "$(cd "$E2E/conf" && echo *.elf)" '
        .images += ($kernels / " " | map({
            id: sub("[.]elf$"; ""), name: ., description: "small kernel of the tests",
            kernel: ("/var/lib/xs/conf/" + .), cmdline: "test", memory_mib_min: 32 }))
        | .images += [{ id: "busy", name: "busy", description: "an endless loop, for many at once",
            kernel: "/var/lib/xs/conf/wild-spin.elf", cmdline: "test", memory_mib_min: 20 }]
        | .flavors += [
            { id: "small1", name: "1 vCPU, 32 MiB", vcpus: 1, memory_mib: 32, weight: 256, cap_percent: 0 },
            { id: "small2", name: "2 vCPUs, 32 MiB", vcpus: 2, memory_mib: 32, weight: 256, cap_percent: 0 },
            { id: "busy", name: "1 vCPU, 20 MiB, 1 % of a CPU", vcpus: 1, memory_mib: 20, weight: 256, cap_percent: 1 },
            { id: "slow", name: "1 vCPU, 128 MiB, 1 B/s", vcpus: 1, memory_mib: 128, weight: 256, cap_percent: 0,
              disk_limit: { ops_per_s: 0, bytes_per_s: 1, burst_ms: 1000 } }
        ]' "$TOP/host/dom0/etc/xs/catalog.json"
}

e2e_running() {
    [ -f "$RUN/pid" ] && kill -0 "$(cat "$RUN/pid")" 2>/dev/null
}

# A disk of dom0 whose medium fails: reads at 4 MiB, writes at 8 MiB and each flush are answered with EIO.
FAILING_DISK='-blockdev driver=blkdebug,node-name=failing,image.driver=null-co,image.size=16777216,image.read-zeroes=on,'\
'inject-error.0.event=none,inject-error.0.iotype=read,inject-error.0.sector=8192,'\
'inject-error.1.event=none,inject-error.1.iotype=write,inject-error.1.sector=16384,'\
'inject-error.2.event=none,inject-error.2.iotype=flush '\
'-device virtio-blk-pci,drive=failing,serial=xs-failing'

# e2e_boot: on whichever port is free; returns once the API is healthy
e2e_boot() {
    port=18500
    while ! XS_QEMU_ARGS="${XS_QEMU_ARGS-} $FAILING_DISK" XS_PORT=$port XS_DATA=$E2E/data.img "$TOP/host/boot" "$RUN" 2>"$E2E/boot.err"; do
        grep -q 'host forwarding' "$E2E/boot.err" && [ $port -lt 18520 ] || {
            cat "$E2E/boot.err"
            return 1
        }
        port=$((port + 1))
    done
    "$TOP/host/healthy" "$RUN" "$E2E/secret/conf/tls.crt"
}

e2e_host() {                            # a running, healthy host, started if need be
    if ! e2e_running; then
        e2e_disk && e2e_boot >"$E2E/boot.log" 2>&1 || {
            cat "$E2E/boot.log" >&2
            echo "Bail out! the host does not come up"
            exit 1
        }
    fi
    API=https://127.0.0.1:$(cat "$RUN/port")
    OPERATOR=$(cat "$E2E/secret/operator.key")
}

dom0() {
    "$TOP/host/ctl" "$RUN" "$@"
}

# call METHOD PATH [BODY]: the answer's body; status 1 for a problem (which goes to stderr).
# Each has its own Idempotency-Key, so a repeated call is a new one. With RETRY set
# an answer that says `retryable` is asked for again, with the same key, as a client should.
RETRY=''
call() {
    answer_key=$(cat /proc/sys/kernel/random/uuid)
    call_deadline=$(($(date +%s) + 30))
    while :; do
        call_once "$1" "$2" "${3-}" "$answer_key" || return 1
        [ -n "$RETRY" ] && [ "$code" = 503 ] && [ "$(date +%s)" -lt $call_deadline ] || break
        sleep 0.3
    done
    if [ "$code" -ge 400 ]; then
        printf '%s %s: %s %s\n' "$1" "$2" "$code" "$body" >&2
        return 1
    fi
    printf '%s\n' "$body"
}

call_once() {                           # sets code and body
    answer=$(curl -sS --max-time 60 --cacert "$E2E/secret/conf/tls.crt" -X "$1" -H "Authorization: Bearer $KEY" \
        -H "Idempotency-Key: $4" ${3:+-H 'Content-Type: application/json' -d "$3"} -w '\n%{http_code}' "$API$2") || return 1
    code=${answer##*"
"}
    body=${answer%"
"*}
}

# customer NAME AMOUNT: makes one with that much money; KEY and CUSTOMER are set
customer() {
    KEY=$OPERATOR
    CUSTOMER=$(call POST /v1/admin/customers "{\"name\": \"$1\"}" | jq -r .id)
    call POST "/v1/admin/customers/$CUSTOMER/credits" "{\"amount\": \"$2\", \"reason\": \"test\"}" >/dev/null
    KEY=$(call POST "/v1/admin/customers/$CUSTOMER/keys" '{"name": "test"}' | jq -r .key)
}

# action_ends ACTION SECONDS: waits; prints its final status
action_ends() {
    deadline=$(($(date +%s) + $2))
    while action=$(call GET "/v1/actions/$1?wait=20"); do
        status=$(printf '%s' "$action" | jq -r .status)
        case $status in queued | running) ;; *) break ;; esac
        [ "$(date +%s)" -lt $deadline ] || break
    done
    [ "$status" = succeeded ] || printf '%s\n' "$action" | jq -c '{type, status, error, steps}' >&2
    echo "$status"
}

# create NAME IMAGE FLAVOR [CMDLINE]: prints the instance's id once the action has succeeded
create() {
    body=$(jq -nc --arg n "$1" --arg i "$2" --arg f "$3" --arg c "${4-}" \
        '{name: $n, image: $i, flavor: $f} + (if $c == "" then {} else {cmdline: $c} end)')
    made=$(call POST /v1/instances "$body") || return 1
    [ "$(action_ends "$(printf '%s' "$made" | jq -r .action.id)" 120)" = succeeded ] || return 1
    printf '%s' "$made" | jq -r .id
}

# act INSTANCE TYPE: prints the action's final status
act() {                                 # act INSTANCE TYPE [FIELD VALUE]
    action_ends "$(call POST "/v1/instances/$1/actions" "$(jq -nc --arg type "$2" --arg field "${3-}" --arg value "${4-}" \
        '{type: $type} + if $field == "" then {} else {($field): $value} end')" | jq -r .id)" 120
}

delete() {
    action_ends "$(call DELETE "/v1/instances/$1" | jq -r .id)" 120
}

state() {
    call GET "/v1/instances/$1" | jq -r .state
}

# poll SECONDS COMMAND...: until the command succeeds; the API has nothing to wait on for these.
# What the last attempt printed is printed when the time is up.
poll() {
    deadline=$(($(date +%s) + $1))
    shift
    until attempt=$("$@" 2>&1); do
        [ "$(date +%s)" -lt $deadline ] || {
            printf '%s\n' "$attempt"
            return 1
        }
        sleep 0.2
    done
}

is_state() {
    [ "$(state "$1")" = "$2" ]
}

is_over() {
    case $(state "$1") in stopped | failed) ;; *) return 1 ;; esac
}

is_gone() {
    shown=$(call GET "/v1/instances/$1" 2>&1) || return 0
    [ "$(printf '%s' "$shown" | jq -r .state)" = deleted ]
}

# record_is INSTANCE TYPE: its newest record is of this type, and signed
record_is() {
    call GET "/v1/instances/$1/records?limit=1000" | jq -r '.data[-1].leaf' | grep -q "/v1 $2"
}

# new_invoice: into $E2E/invoice; fails while there is nothing new to bill
new_invoice() {
    made=$(call POST /v1/invoices 2>/dev/null) && printf '%s' "$made" >"$E2E/invoice"
}

# knows_for_good INSTANCE: dom0 never asks again who has its address, at a time of its own; a guest does the same with its
# gateway's, and then no packet comes that it did not send for
knows_for_good() {
    dom0 "arp -s $(call GET "/v1/instances/$1" | jq -r '.addresses[0] | "\(.ipv4) \(.mac)"')"
}

console() {
    call GET "/v1/instances/$1/console_log?offset=0&limit=65536" | jq -r .text | tr -d '\r'
}

console_says() {
    console "$1" | grep -q -E -e "$2"
}

# says INSTANCE SECONDS PATTERN: waits until the console has a line like that; else shows the console
says() {
    poll "$2" console_says "$1" "$3" || {
        console "$1"
        return 1
    }
}

# inventory: what hv holds, by its own count
inventory() {
    dom0 /var/lib/xs/conf/probe inventory
}

# same_inventory: as in $E2E/before; shows what differs
same_inventory() {
    inventory >"$E2E/after" && diff "$E2E/before" "$E2E/after"
}

# services: the pids of hv's and dom0's parts that must not change during a test
services() {
    dom0 'for s in xenstored xenconsoled accountd provisioner devd api; do echo "$s $(cat /run/sv/$s/supervise/pid)"; done'
}
