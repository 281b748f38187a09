#!/bin/sh
# What docs/ tells operators to do, done as it is written; what starts the host anew comes last.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
. "$TOP/tests/docs/lib.sh"

customer first 1.00
reader "$OPERATOR"
check 'incidents.md: a first look' follows incidents.md look
check 'prices.md: a book is proposed, and published by another' follows prices.md prices
check 'keys.md: a root key vouches for the others' follows keys.md root
check 'keys.md: the log and invoice keys are rotated' follows keys.md rotate
check 'keys.md: a witness cosigns the log' follows keys.md witness

check 'incidents.md: the API is down' follows incidents.md api-down
check 'incidents.md: the disk is full' follows incidents.md disk
customer suspect 5.00
instance=$(create suspect tiny-disk xs1) || instance=none
address=$(call GET "/v1/instances/$instance" | jq -r '.addresses[0].ipv4')
export address
check 'incidents.md: a guest attacks others' follows incidents.md attack
check 'it is known which it is' said attack "suspend $instance"
equals 'delete' succeeded "$(delete "$instance")"
check 'incidents.md: a customer lost a key' follows incidents.md customer-key
check 'incidents.md: the first key is lost' follows incidents.md operator-key
cp "$DESK/operator.key" "$E2E/secret/operator.key"
reader "$(cat "$DESK/operator.key")"
OPERATOR=$XS_KEY

customer before-backup 7.00
theirs=$KEY
check 'backup-and-restore.md: a backup' follows backup-and-restore.md backup
check 'it holds the signing keys' sh -c "tar -tzf '$DESK/backup.tar.gz' | grep -q '^accountd/keys/log.key$'"
customer after-backup 1.00
lost=$KEY
XS_DATA=$E2E/data.img XS_PORT=$(cat "$RUN/port") XS_QEMU_ARGS=$FAILING_DISK
export XS_DATA XS_PORT XS_QEMU_ARGS
check 'backup-and-restore.md: a restore' follows backup-and-restore.md restore
check 'the ledger adds up' said restore 'the entries add up to the balances'
KEY=$theirs
equals 'who had money has it' 7.00 "$(call GET /v1/wallet | jq -r .balance)"
KEY=$lost
refuses 'who came after the backup is not known' 401 call GET /v1/wallet
rm -f "$E2E/data.img.old"
check 'incidents.md: the host restarted' follows incidents.md restart

check 'keys.md: a new certificate' follows keys.md tls
cp "$DESK/tls.crt" "$DESK/tls.key" "$E2E/secret/conf/"
KEY=$theirs
check 'it is the one that clients see' poll 60 call GET /v1/wallet
tap_end
