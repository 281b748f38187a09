#!/bin/sh
# dom0's user space sees the stats page and cannot write it: a write faults in the process that
# tried, and the meter goes on.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

text=$(dom0 /var/lib/xs/conf/probe stats-write) || text="$text
status $?"
matches 'the page is there' '^magic right' "$text"
matches 'a write does not get through' '^write faulted' "$text"
matches 'nothing was changed' '^page unchanged' "$text"
customer after-write 1.00
KEY=$OPERATOR
equals 'the meter goes on' true "$(call GET /v1/admin/host | jq .meter.conservation_ok)"
tap_end
