#!/bin/sh
# What a stock scanner says of our TLS: nothing of HIGH or CRITICAL. It scans a host whose certificate a CA of its own signed.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
make -C "$BUILD" -s tests/api/console-rig tests/api/xs-api >&2
dir=$(mktemp -d)
cd "$BUILD"

certify() {                             # certify FOLDER: the host gets a certificate as a CA gives them
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/ca.key"
    openssl req -x509 -new -key "$dir/ca.key" -subj '/CN=A test CA' -days 400 -out "$dir/ca.pem"
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/tls.key"
    printf '%s\n' subjectAltName=DNS:localhost crlDistributionPoints=URI:http://ca.invalid/crl \
        extendedKeyUsage=serverAuth basicConstraints=CA:FALSE >"$dir/extensions"
    openssl req -new -key "$1/tls.key" -subj /CN=localhost |
        openssl x509 -req -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial "0x1$(openssl rand -hex 15)" -days 90 \
            -extfile "$dir/extensions" -out "$1/tls.crt"
} 2>/dev/null

mkfifo "$dir/hold" "$dir/said"
# What it says of itself is no check of ours: one log has one plan.
tests/api/console-rig <"$dir/hold" >"$dir/said" 2>"$dir/rig" &
rig=$!
exec 8>"$dir/hold" 7<"$dir/said"        # in this order: each waits for its other side
read -r facts <&7
certify "$(printf '%s' "$facts" | jq -r .dir)"
echo restart >&8
read -r _ <&7
at=$(printf '%s' "$facts" | jq -r '.url | sub("https://127.0.0.1"; "localhost")')

scan() {
    testssl --quiet --warnings batch --color 0 --add-ca "$dir/ca.pem" --jsonfile "$dir/found.json" "$at" >"$dir/out" 2>&1 || :
    jq -e 'length > 100' "$dir/found.json" # it ran to its end
}

spoken() {
    jq -r '.[] | select(.id as $id | ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3"] | index($id))
        | "\(.id) \(.finding)"' "$dir/found.json" | grep -v 'not offered' | cut -d ' ' -f 1
}

grave() {
    jq -r '.[] | select(.severity == "HIGH" or .severity == "CRITICAL") | "\(.severity) \(.id): \(.finding)"' "$dir/found.json"
}

check "testssl scans $at" scan
equals "TLS 1.2 and 1.3 are spoken, nothing older" "TLS1_2 TLS1_3" "$(spoken | xargs)"
equals "it finds nothing HIGH or CRITICAL" '' "$(grave)"
exec 8>&-
wait $rig && ended=0 || ended=$?
sed 's/^/# /' "$dir/rig"
equals "the host ends in order" 0 $ended
rm -rf "$dir"
tap_end
