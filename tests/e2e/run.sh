#!/bin/sh
# ./run as its user meets it: steps, what it prints, a second one refused, a taken port named, and at
# Ctrl-C a clean power-off.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
dir=$STATE/test-run
rm -rf "$dir"
mkdir -p "$dir"
for part in images cache bin sbin; do
    ln -s "$STATE/$part" "$dir/$part"
done
export XS_STATE="$dir"

# A background command of a script ignores SIGINT unless told otherwise.
env --default-signal=INT "$TOP/run" >"$dir/out" 2>&1 &
run=$!
end() {
    kill "$run" 2>/dev/null || :
    [ ! -f "$dir/run/pid" ] || kill "$(cat "$dir/run/pid")" 2>/dev/null || :
}
trap end EXIT

check 'it comes up' "$TOP/host/await" "$dir/out" $run 240 '^The host runs until Ctrl-C'
text=$(cat "$dir/out")
equals 'seven steps, each with its time' 7 "$(printf '%s\n' "$text" | grep -c '^\[[1-7]/7\] .* [0-9]*\.[0-9] s$')"
matches 'the URL' '^ *API *https://127\.0\.0\.1:[0-9]+$' "$text"
matches 'the key' '^ *key *xs_oper_' "$text"
matches 'the fingerprint' '^ *certificate *SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$' "$text"
settings=$(printf '%s\n' "$text" | sed -n 's/^ *client *//p')
check 'the line for the client works as printed' sh -c "$settings; xs admin host"
port=$(cat "$dir/run/port")
refuses 'a second one in the same place' 'another ./run works in' "$TOP/run"
equals 'the operator key is in no file of the data disk' 0 \
    "$(tar -S -cf - -C "$dir" data.img | grep -c -a -F "$(cat "$dir/secret/operator.key")" || :)"

mkdir -p "$dir/other"
for part in images cache bin sbin; do
    ln -s "$STATE/$part" "$dir/other/$part"
done
refuses 'a port that is taken' "port $port may be taken" env XS_STATE="$dir/other" "$TOP/run" --port "$port"

kill -INT $run
status=0
wait $run || status=$?
equals 'Ctrl-C: it ends with status 0' 0 $status
matches 'after a clean power-off' '^powering off \.\.\. done in' "$(cat "$dir/out")"
check 'QEMU is gone' [ ! -f "$dir/run/pid" ]
trap - EXIT
tap_end
