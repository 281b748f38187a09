#!/bin/sh
# The counting itself: a test program that died, printed no plan or contradicts its
# own status never counts as passed.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
file=$(mktemp)
trap 'rm -f "$file"' EXIT

tally() {                               # tally STATUS LINE...
    status=$1
    shift
    printf '%s\n' "$@" >"$file"
    "$TOP/tests/tap/tally" "$status" "$file"
}

equals 'two passed' '2 0' "$(tally 0 'ok 1 - a' 'ok 2 - b' 1..2)"
equals 'one of two failed' '1 1' "$(tally 1 'ok 1 - a' 'not ok 2 - b' 1..2)"
equals 'no plan' '1 1' "$(tally 0 'ok 1 - a')"
equals 'died before the end' '1 1' "$(tally 139 'ok 1 - a')"
equals 'a plan for more than came' '1 1' "$(tally 0 'ok 1 - a' 1..2)"
equals 'an empty plan' '0 1' "$(tally 0 1..0)"
equals 'a failure hidden by status 0' '0 2' "$(tally 0 'not ok 1 - a' 1..1)"
equals 'a bad status with no failed check' '1 1' "$(tally 1 'ok 1 - a' 1..1)"
equals 'nothing printed' '0 1' "$(tally 0 '')"
tap_end
