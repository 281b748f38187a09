#!/bin/sh
# The contract is clean by a stock linter of OpenAPI 3.1 (npm's Spectral), and the linter does find what is wrong.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
spectral=$("$TOP/host/npm" @stoplight/spectral-cli@6.16.3)/dist/index.js
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

lint() {
    node "$spectral" lint --quiet --fail-severity=warn --ruleset "$TOP/tests/api/spectral.yaml" "$1" >"$dir/said" 2>&1
}
lint_clean() {
    lint "$TOP/api/openapi.yaml" || { sed 's/^/# /' "$dir/said"; return 1; }
}
lint_finds() {                          # lint_finds RULE SED: the contract, broken so, fails by this rule
    sed "$2" "$TOP/api/openapi.yaml" >"$dir/broken.yaml"
    ! cmp -s "$TOP/api/openapi.yaml" "$dir/broken.yaml" && ! lint "$dir/broken.yaml" && grep -q " $1 " "$dir/said"
}
check 'openapi.yaml is clean' lint_clean
check 'two operations with one id are found' lint_finds operation-operationId-unique 's/operationId: images_list/operationId: flavors_list/'
check 'a schema that is not there is found' lint_finds invalid-ref 's,schemas/ImageList",schemas/ImageLost",'
check 'a parameter of the path that is not declared is found' lint_finds path-params '/^  \/v1\/actions\/{id}:/s/{id}/{action}/'
tap_end
