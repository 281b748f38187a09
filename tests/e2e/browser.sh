#!/bin/sh
# The portal and the console in a real browser, against the host: a customer from sign-up to an invoice that the browser itself
# has verified, with a guest's console on the way; operators from their first login to prices that two of them published.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/web/browser.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
browser_there
XS_URL=$API XS_OPERATOR_KEY=$OPERATOR
NODE_EXTRA_CA_CERTS=$E2E/secret/conf/tls.crt
export XS_URL XS_OPERATOR_KEY NODE_EXTRA_CA_CERTS
exec node "$TOP/tests/e2e/browser.mjs"
