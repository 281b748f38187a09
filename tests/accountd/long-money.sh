#!/bin/sh
# The long forms of what breaks accountd's books: every chance twenty times, 10^4 longer lives, 10^6 changed records.
set -u
cd "$(dirname "$0")/../../build" || exit 1
make -s tests/accountd/crash-test tests/accountd/sim-test tests/accountd/mutants-test >/dev/null || exit 1
n=0 failed=0
for name in crash-test sim-test mutants-test; do
    n=$((n + 1))
    if out=$("tests/accountd/$name" --long 2>/dev/null); then
        echo "ok $n - $name --long"
    else
        echo "not ok $n - $name --long"
        failed=1
    fi
    printf '%s\n' "$out" | sed 's/^/# /'
done
echo "1..$n"
exit $failed
