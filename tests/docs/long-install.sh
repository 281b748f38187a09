#!/bin/sh
# docs/install.md, done as it is written: a machine starts from a medium that GRUB is on, with a data disk of its own, and gets
# its first operator and customer.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
. "$TOP/tests/docs/lib.sh"

export XENO="$TOP" HV IMAGES
trap '[ ! -f "$DESK/machine/pid" ] || kill "$(cat "$DESK/machine/pid")" 2>/dev/null || :' EXIT
check 'a medium is made' follows install.md medium
check 'a data disk is made' follows install.md disks
check 'the machine starts from it, has an operator and a customer, and stops' follows install.md start operator customer off
check 'GRUB started it' said start 'xs-host: ready'
check 'a guest ran' said start '^state +running'
tap_end
