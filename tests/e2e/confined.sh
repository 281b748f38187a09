#!/bin/sh
# What the process is that strangers talk to: nobody's user, no capabilities, no new ones, a system call filter; and it
# can read no signing key.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"
. "$TOP/tests/e2e/lib.sh"
e2e_host

pid=$(dom0 'pidof xs-api')
dom0 "cat /proc/$pid/status" >"$E2E/api-status"
says() {                                # says FIELD PATTERN: of its status
    grep -E "^$1:	$2" "$E2E/api-status" || { grep "^$1" "$E2E/api-status"; return 1; }
}
check 'it is not root, in none of the four ids' says Uid '([1-9][0-9]*)	\1	\1	\1$'
check 'its group neither' says Gid '([1-9][0-9]*)	\1	\1	\1$'
for set in Inh Prm Eff Amb; do
    check "it has no capability (Cap$set)" says "Cap$set" '0000000000000000$'
done
check 'and gets none by starting a program' says NoNewPrivs '1$'
check 'a filter of system calls is on all its threads' says Seccomp '2$'
threads=$(dom0 "grep -h '^Seccomp:' /proc/$pid/task/*/status | sort -u | tr -d '\t'")
equals 'on each' 'Seccomp:2' "$threads"
uid=$(awk '/^Uid/ { print $2 }' "$E2E/api-status")
secrets=$(dom0 'find /var/lib/xs/accountd -name "*.key" 2>/dev/null')
check 'accountd has keys' test -n "$secrets"
for key in $secrets; do
    mode=$(dom0 "stat -c '%u %a' $key")
    check "$key is not the api's to read ($mode)" sh -c '[ "${1% *}" != "$2" ] && case $1 in *00) true ;; *) false ;; esac' sh "$mode" "$uid"
done
tap_end
