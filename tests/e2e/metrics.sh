#!/bin/sh
# What Prometheus scrapes from a host: read by its own client library (of Debian, so by Debian's python3), and the
# same counters that /v1/usage shows.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

customer metrics 10.00
mine=$KEY
id=$(create scraped busy busy)
check 'a guest runs' is_state "$id" running
scrape() {                              # scrape PATH FILE: name, labels, value
    call GET "$1" >"$E2E/scraped" && /usr/bin/python3 - "$E2E/scraped" >"$2" <<'END'
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    assert family.documentation and family.type in ('counter', 'gauge'), family
    for sample in family.samples:
        print(sample.name, ','.join(f'{k}={v}' for k, v in sorted(sample.labels.items())), sample.value)
END
}
value() {                               # value FILE NAME LABELS
    awk -v name="$2" -v labels="$3" '$1 == name && ($2 == labels || labels == "") { print $NF }' "$1"
}
between() {                             # between LOW VALUE HIGH
    awk -v low="$1" -v value="$2" -v high="$3" 'BEGIN { exit !(value != "" && low <= value && value <= high) }'
}
seconds() { call GET "/v1/instances/$id/usage" | jq -r '.guest_ns | tonumber / 1e9'; }

before=$(seconds)
check "a customer's metrics are read" scrape /v1/metrics "$E2E/mine"
after=$(seconds)
cpu=$(value "$E2E/mine" xenoserver_instance_cpu_seconds_total "instance_id=$id,mode=guest")
check "its CPU seconds ($cpu) are what usage says ($before to $after)" between "$before" "$cpu" "$after"
check 'the wallet is there' between 0.01 "$(value "$E2E/mine" xenoserver_wallet_balance currency=EUR)" 10
KEY=$OPERATOR
check "the host's are read" scrape /v1/admin/metrics "$E2E/host"
check 'the host counts the domains' between 2 "$(value "$E2E/host" xenoserver_host_domains '')" 100
check 'and says that the books close' between 1 "$(value "$E2E/host" xenoserver_meter_conservation_ok '')" 1
KEY=$mine
check 'the guest is deleted' test "$(delete "$id")" = succeeded
tap_end
