#!/bin/sh
# A client that a stock generator (npm's swagger-typescript-api) made from openapi.yaml rents a guest on the host.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

generator=$("$TOP/host/npm" swagger-typescript-api@13.0.23)/dist/cli.cjs
dir=$E2E/generated-client
rm -rf "$dir"
mkdir -p "$dir"
echo '{"type": "module"}' >"$dir/package.json"
generate() {
    curl -sS --fail --cacert "$E2E/secret/conf/tls.crt" -o "$dir/openapi.yaml" "$API/openapi.yaml" &&
        node "$generator" -p "$dir/openapi.yaml" -o "$dir" -n api.js --js
}
customer generated 10.00
check "a client is generated from the host's own contract" generate
drive() {
    NODE_EXTRA_CA_CERTS=$E2E/secret/conf/tls.crt node "$TOP/tests/e2e/generated-client.mjs" "$dir/api.js" "$API" "$KEY"
}
check 'and rents a guest, is billed, and is told what it did wrong' drive
tap_end
