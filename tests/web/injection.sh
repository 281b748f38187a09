#!/bin/sh
# Markup in every text that a customer can send: nothing of it runs in either page.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/web/browser.sh"
browse injection.mjs
