#!/bin/sh
# What accountd and xs-verify refuse at their start, and that they say what and where.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

accountd() {
    timeout 30 accountd/xs-accountd --state-dir "$dir/state" --run-dir "$dir/run" --stats-file "$dir/stats" \
        --price-book "$TOP/accountd/pricebook.json" --seller "$TOP/accountd/seller.json" "$@"
}
config() {      # config TEXT: as accountd.conf
    printf '%s\n' "$1" >"$dir/conf"
    accountd --config "$dir/conf"
}
prices() {      # prices SED: the sample price book, changed
    sed "$1" "$TOP/accountd/pricebook.json" >"$dir/prices"
    accountd --price-book "$dir/prices"
}

refuses 'an interval of 0' '--interval 0: must be a number of seconds from 1 to 3600' accountd --interval 0
refuses 'an interval that is no number' '--interval 1m: must be' accountd --interval 1m
refuses 'an option that is not known' 'see --help' accountd --bogus
refuses 'a word too many' 'more: not an option' accountd more
refuses 'a configuration that is not there' "$dir/none: No such file" accountd --config "$dir/none"
refuses 'a configuration cut short' "$dir/conf: line 2: .* expected near end of file" config '{"host":"h"'
refuses 'a configuration that is a list' "$dir/conf: must be one JSON object" config '[]'
refuses 'a key that is not known' "$dir/conf: hots: unknown; known are: host interval_s grace_suspended_s retention_s hold_s price_book seller head_copy payments" config '{"hots":"h"}'
refuses 'a key twice' "$dir/conf: line 1: duplicate object key" config '{"host":"a","host":"b"}'
refuses 'a host with a space' "$dir/conf: host: 1 to 64 of" config '{"host":"a b"}'
refuses 'a negative interval' "$dir/conf: interval_s: must be an integer from 1 to 3600" config '{"interval_s":-1}'
printf '{"name":"S","country":"DE","number_prefix":"XS","iban":"DE89 3704 0044 0532 0130 01"}\n' >"$dir/seller"
refuses 'an IBAN with a digit changed' "$dir/seller: iban: not an IBAN" accountd --seller "$dir/seller"
refuses 'secrets that are not there' "$dir/none: No such file" config "{\"payments\":\"$dir/none\"}"
printf '{"stripe":["whsec_0123456789"]}\n' >"$dir/payments"
chmod 644 "$dir/payments"
refuses 'secrets that others may read' "$dir/payments: others may read" config "{\"payments\":\"$dir/payments\"}"
printf '{"stripe":["0123456789"]}\n' >"$dir/payments"
chmod 600 "$dir/payments"
refuses 'secrets that are none' "$dir/payments: stripe: a secret is" config "{\"payments\":\"$dir/payments\"}"
refuses 'prices that are not there' "$dir/none: No such file" accountd --price-book "$dir/none"
refuses 'a price that is missing' 'meters: net_bytes_in: missing' prices '/net_bytes_in/d; s/\(net_bytes_out.*\),$/\1/'
refuses 'a negative price' 'meters: cpu_used: num_nano: must be' prices 's/"7000"/"-7000"/'
refuses 'a price with a point' 'meters: cpu_used: num_nano: must be' prices 's/"7000"/"7.5"/'
refuses 'a price per nothing' 'meters: cpu_used: den: must be' prices 's/"den": "3"/"den": "0"/'
refuses 'a stats file that is not there' "$dir/stats: cannot open the stats file" accountd
: >"$dir/stats"
refuses 'an empty stats file' "$dir/stats: stats page: empty" accountd
echo 'not a stats page' >"$dir/stats"
refuses 'a short stats file' "$dir/stats: stats page: too short" accountd
head -c 300000 /dev/zero >"$dir/stats"
refuses 'a stats file of zeros' "$dir/stats: stats page: magic is wrong" accountd
refuses 'a state directory below nothing' '/nonexistent/state: cannot create' accountd --state-dir /nonexistent/state
refuses 'a run directory below nothing' '/nonexistent/run: cannot create' accountd --run-dir /nonexistent/run

refuses 'xs-verify: no bundle named' 'usage: xs-verify' client/xs-verify
refuses 'xs-verify: a bundle that is not there' "$dir/none: cannot open" client/xs-verify "$dir/none"
refuses 'xs-verify: a directory' "$dir: not a file" client/xs-verify "$dir"
refuses 'xs-verify: something else' 'WRONG: tar: ' client/xs-verify "$TOP/accountd/pricebook.json"
tar -C "$TOP" -cf "$dir/other.tar" LICENSE
refuses 'xs-verify: a tar of another kind' 'WRONG: tar: ' client/xs-verify "$dir/other.tar"
refuses 'xs-verify: keys that are not there' "$dir/none: cannot open" client/xs-verify --key "$dir/none" "$dir/other.tar"
tap_end
