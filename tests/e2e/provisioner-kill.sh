#!/bin/sh
# The provisioner is killed with -9 at many moments of creating and deleting. Its supervisor starts
# it again; each job ends finished or undone, and hv is left holding nothing.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

RETRY=1
customer killed 20.00
kill_it() { dom0 'kill -9 $(cat /run/sv/provisioner/supervise/pid)'; }
settle() { case $(call GET "/v1/instances/$1" | jq -r .state) in running | failed | stopped | deleted) ;; *) return 1 ;; esac; }
id=$(create first tiny xs1) || id=none
equals 'a first one, undisturbed' succeeded "$(delete "$id")"
inventory >"$E2E/before"                # dom0's own tables have grown to their size by now
for round in 1 2 3 4 5 6; do
    # the call waits for the provisioner that the round before left starting
    made=$(call POST /v1/instances "{\"name\": \"killed-$round\", \"image\": \"tiny\", \"flavor\": \"xs1\"}") || made='{}'
    id=$(printf '%s' "$made" | jq -r .id)
    # The answer comes before the job's steps: asking ever longer spreads the kills over them.
    asked=0
    while [ $asked -lt $(((round - 1) * 2)) ]; do
        call GET "/v1/instances/$id" >/dev/null || :
        asked=$((asked + 1))
    done
    kill_it
    check "round $round: a create that was interrupted comes to an end" poll 120 settle "$id"
    echo "# round $round: $(call GET "/v1/instances/$id" | jq -c '[.state, .state_reason]')"
    check "round $round: a delete is accepted" call DELETE "/v1/instances/$id"
    kill_it
    check "round $round: a delete that was interrupted is finished" poll 120 is_gone "$id"
done
check 'hv holds what it held before' poll 60 same_inventory
equals 'no domain is left in xenstore but dom0' 0 "$(dom0 'xenstore-list /local/domain')"
tap_end
