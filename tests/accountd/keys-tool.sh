#!/bin/sh
# xs-keys, offline: the root key's signature of keys.txt, and minisign's word on it.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

keys() { accountd/xs-keys "$@"; }
make_root() { keys root "$dir/root.key" >"$dir/root.pub"; }
another_root() { keys root "$dir/other.key" >"$dir/other.pub"; }

tests/accountd/log-make "$dir"
cp "$dir/public/keys.txt" "$dir/keys.txt"
check 'a root key is made' make_root
refuses 'and not made again over itself' 'is there already' keys root "$dir/root.key"
check 'it is readable for its owner alone' test "$(stat -c %a "$dir/root.key")" = 600
check 'keys.txt of a rotated log is signed' keys sign "$dir/root.key" "$dir/keys.txt"
check 'the signature fits' keys check "$dir/root.pub" "$dir/keys.txt"
check 'minisign says so too' minisign -qVm "$dir/keys.txt" -p "$dir/root.pub"
tar -cf "$dir/none.tar" -T /dev/null
refuses 'xs-verify takes keys.txt with the root key, and goes on to the bundle' 'none.tar: WRONG' \
    client/xs-verify --key "$dir/keys.txt" --root "$dir/root.pub" "$dir/none.tar"
another_root
refuses 'and not with another root key' 'not the root key.s signature' \
    client/xs-verify --key "$dir/keys.txt" --root "$dir/other.pub" "$dir/none.tar"
refuses 'another root key did not sign it' 'not the root key.s signature' keys check "$dir/other.pub" "$dir/keys.txt"
sed -i 's/^log \([0-9]*\) \([0-9]*\) /log \1 9\2 /' "$dir/keys.txt"
refuses 'a key that would be valid for longer' 'not the root key.s signature' keys check "$dir/root.pub" "$dir/keys.txt"
echo >>"$dir/keys.txt"
refuses 'what is no keys.txt is not signed' 'not a keys.txt' keys sign "$dir/root.key" "$dir/keys.txt"
refuses 'a word that is no command' 'usage: xs-keys' keys rotat log
XS_ACCOUNTD=$dir/none refuses 'no accountd there' 'accountd: unavailable' keys rotate log
tap_end
