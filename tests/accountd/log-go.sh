#!/bin/sh
# Go's sumdb packages (Debian's golang-golang-x-mod-dev) check what accountd
# publishes: checkpoints, tiles, inclusion and consistency, a rotated key.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! command -v go >/dev/null || [ ! -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    echo "1..0 # SKIP golang-go and golang-golang-x-mod-dev are not there: host/install-packages test"
    exit 0
fi
# Debian's tree of packages, no module, no network.
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="${XDG_CACHE_HOME:-$dir}/go-build"
second_opinion() { "$dir/verify" "$dir"; }

check 'a log with a rotated key and a witness is published' tests/accountd/log-make "$dir"
check 'the program of the second opinion builds' go build -o "$dir/verify" "$TOP/tests/accountd/log-go/verify.go"
check 'its checks pass' second_opinion
second_opinion 2>/dev/null | sed 's/^/# /'
printf 'x' | dd of="$dir/public/tile/0/001" bs=1 seek=1500 conv=notrunc 2>/dev/null
refuses 'a tile with one byte changed' 'not ok - ' second_opinion
tap_end
