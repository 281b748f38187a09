#!/bin/sh
# Guests' consoles over WebSockets, as a stock client sees them (npm's ws).
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
make -C "$BUILD" -s tests/api/console-rig tests/api/xs-api tests/api/xs >&2
XS_WS=$("$TOP/host/npm" ws@8.23.0)
XS_RIG=$BUILD/tests/api/console-rig XS_BUILD=$BUILD
export XS_WS XS_RIG XS_BUILD
exec node "$TOP/tests/api/console.mjs"
