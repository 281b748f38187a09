#!/bin/sh
# Events signed by Stripe's official library, given to accountd.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
events=$(mktemp)
trap 'rm -f "$events"' EXIT
node "$TOP/tests/accountd/funding/stripe.cjs" "$("$TOP/host/npm" stripe@23.1.0)" >"$events"
tests/accountd/stripe-check "$events"
