#!/bin/sh
# GETs a second on kept-alive TLS connections: the api beside libmicrohttpd alone and beside nginx with a file, in turns on
# one machine; then how long a list of a thousand instances takes. Figures in seconds: not part of ./test.
#
#     web.sh [ROUNDS]
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
make -C "$BUILD" -s tests/bench/bare-http tests/api/console-rig api/xs-api >&2
rounds=${1:-9}
dir=$(mktemp -d)
cd "$BUILD"
mkfifo "$dir/hold" "$dir/said"
tests/api/console-rig api/xs-api <"$dir/hold" >"$dir/said" 2>"$dir/rig.log" &
exec 8>"$dir/hold" 7<"$dir/said"        # in this order: each waits for its other side; who else had 8 would keep all alive
read -r facts <&7
fact() { printf '%s' "$facts" | jq -r ".$1"; }
url=$(fact url) key=$(fact key) tls=$(fact dir)
bare=$((${url##*:} + 1)) static=$((${url##*:} + 2))

body=$(curl -sk "$url/healthz")
tests/bench/bare-http $bare "$tls/tls.crt" "$tls/tls.key" "$body" <"$dir/hold" 8>&- &
mkdir "$dir/www"
printf '%s' "$body" >"$dir/www/healthz"
cat >"$dir/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $dir/nginx.pid; error_log $dir/nginx.log;
events { worker_connections 256; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir;
    uwsgi_temp_path $dir; scgi_temp_path $dir; types { } default_type application/json;
    server { listen 127.0.0.1:$static ssl; ssl_certificate $tls/tls.crt; ssl_certificate_key $tls/tls.key; root $dir/www; } }
EOF
/usr/sbin/nginx -c "$dir/nginx.conf" 2>"$dir/nginx.log" 8>&- &
nginx=$!
trap 'kill $nginx; rm -rf "$dir"' EXIT
for port in $bare $static; do
    curl -sko "$dir/first" --retry 20 --retry-connrefused --retry-delay 1 "https://127.0.0.1:$port/healthz"
    [ "$(cat "$dir/first")" = "$body" ] || die "port $port does not serve"
done

instance=$(curl -sk -H "Authorization: Bearer $key" "$url/v1/instances" | jq -r '.data[0].id')

rate() {                                # rate URL: answers a second; every one of them a good one
    wrk -t 1 -c 8 -d 2s --latency -H "Authorization: Bearer $key" "$1" >"$dir/wrk"
    ! grep -q 'Non-2xx\|Socket errors' "$dir/wrk" || die "$1: $(cat "$dir/wrk")"
    sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p' "$dir/wrk"
}

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    echo "$(rate "$url/healthz") $(rate "$url/v1/account") $(rate "https://127.0.0.1:$bare/") $(rate "https://127.0.0.1:$static/healthz")" \
        "$(rate "$url/log/checkpoint") $(rate "$url/v1/instances/$instance")"
done >"$dir/rates"

share() {                               # share COLUMN COLUMN: in percent, the median of the rounds
    awk -v a="$1" -v b="$2" '{ printf "%.0f\n", 100 * $a / $b }' "$dir/rates" | median
}
column() { awk -v n="$1" '{ print $n }' "$dir/rates" | median; }
echo "# GETs a second, median of $rounds rounds: /healthz $(column 1), /v1/account $(column 2), libmicrohttpd alone $(column 3), nginx $(column 4)"
echo "# beside them: a file of the log $(column 5), an instance, which asks the provisioner, $(column 6)"
echo "# in percent: /healthz $(share 1 3) of libmicrohttpd, $(share 1 4) of nginx; /v1/account $(share 2 3), $(share 2 4)"
check "/healthz, at least 0.8 of libmicrohttpd alone" [ "$(share 1 3)" -ge 80 ]
check "/healthz, at least 0.3 of nginx" [ "$(share 1 4)" -ge 30 ]
check "a GET with a key, at least 0.8 of libmicrohttpd alone" [ "$(share 2 3)" -ge 80 ]
check "a GET with a key, at least 0.3 of nginx" [ "$(share 2 4)" -ge 30 ]

i=2                                     # the rig has made two
while [ $i -lt 1000 ]; do
    i=$((i + 1))
    printf 'url = "%s/v1/instances"\ndata = "{\\"name\\":\\"n%d\\",\\"image\\":\\"tiny\\",\\"flavor\\":\\"xs1\\"}"\nheader = "Idempotency-Key: i%d"\n' "$url" $i $i
    printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\ninsecure\nsilent\noutput = "/dev/null"\nnext\n' "$key"
done | sed '$d' | curl -s -K -
made=$(curl -sk -H "Authorization: Bearer $key" "$url/v1/instances" | jq '.data | length')
check "a list of a thousand instances" [ "$made" -eq 1000 ]
i=0
while [ $i -lt 300 ]; do
    i=$((i + 1))
    printf 'url = "%s/v1/instances"\nheader = "Authorization: Bearer %s"\ninsecure\nsilent\noutput = "/dev/null"\nwrite-out = "%%{time_starttransfer}\\\\n"\nnext\n' "$url" "$key"
done | sed '$d' | curl -s -K - | awk '{ printf "%.0f\n", $1 * 1000000 }' | sort -n >"$dir/times"
half=$(sed -n 150p "$dir/times") worst=$(sed -n 297p "$dir/times")
echo "# a list of a thousand instances: median $half us, p99 $worst us"
check "its p99 is at most three times its median" [ "$worst" -le $((3 * half)) ]
exec 8>&-
tap_end
