#!/bin/sh
# What docs/ tells customers to do, done as it is written: a first guest by xs and by curl, a bill verified three ways.
# The portal's part is walked by tests/e2e/browser.sh.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
. "$TOP/tests/docs/lib.sh"

as_customer docs 20.00
check 'first-guest.md, with xs: a Debian is rented and used' follows first-guest.md xs
check 'it was a Debian, by ssh' said xs '^Linux first .*-cloud-amd64'
check 'its firewall is on' said xs '^on: what no rule allows'
check 'first-guest.md, with curl' follows first-guest.md curl
check 'the guest ran' said curl '"state": "running"'
check 'verify-a-bill.md: by xs-verify, by VERIFY.txt, record by record' follows verify-a-bill.md verify
check 'verify-a-bill.md: a dispute' follows verify-a-bill.md dispute
tap_end
