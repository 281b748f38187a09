#!/bin/sh
# The console in a real browser: each screen, light and dark, at a desk and on a phone, and what operators do there.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/web/browser.sh"
browse console.mjs
