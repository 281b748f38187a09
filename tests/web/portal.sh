#!/bin/sh
# The portal in a real browser: each screen, light and dark, at a desk and on a phone, and what a customer does there.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/web/browser.sh"
browse portal.mjs
