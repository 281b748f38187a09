#!/bin/sh
# What docs/ tells operators to do, done as it is written.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host
. "$TOP/tests/docs/lib.sh"

customer before-backup 7.00
theirs=$KEY
reader "$OPERATOR"
check 'backup-and-restore.md: a backup' follows backup-and-restore.md backup
check 'it holds the signing keys' sh -c "tar -tzf '$DESK/backup.tar.gz' | grep -q '^accountd/keys/log.key$'"
check 'the API is back' poll 60 call GET /v1/wallet
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
tap_end
