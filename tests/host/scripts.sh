#!/bin/sh
# Every shell script of the tree passes shellcheck, and the two commands refuse
# wrong words by naming them.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/host/lib.sh"
. "$TOP/tests/tap/tap.sh"

# Info-level findings are matters of taste; SC1091: sourced files are checked by themselves; SC2034: the
# end-to-end tests set what their lib.sh reads.
lint() {
    case $1 in
    */host/guest/* | */initrd-init) shell=dash ;;       # busybox ash
    *) shell=$(sed -n '1s/.*[/ ]\(bash\|sh\)$/\1/p' "$1") ;;
    esac
    case $1 in */tests/e2e/*) known=SC1091,SC2034 ;; *) known=SC1091 ;; esac
    shellcheck -S warning -e $known -s "${shell:-sh}" "$1"
}

cd "$TOP"
for script in $(git ls-files | xargs grep -lE '^#!.*sh$|^# shellcheck shell=sh') ; do
    check "shellcheck $script" lint "$TOP/$script"
done

refuses 'run: an unknown option' '^run: --turbo: no such option' ./run --turbo
refuses 'run: a port that is no number' '^run: --port 80x: not a number' ./run --port 80x
refuses 'run: a port too large' '^run: --port 65536: not between' ./run --port 65536
refuses 'run: a port without its number' '^run: --port needs a number' ./run --port
refuses 'test: an unknown option' '^test: --turbo: no such option' ./test --turbo
refuses 'boot: no data disk' 'no data disk' env XS_DATA=/nonexistent/data.img host/boot "$STATE/no-run"
refuses 'boot: no hypervisor' '/nonexistent/hv: no hypervisor; run make first' \
    env XS_HV=/nonexistent/hv XS_DATA="$0" host/boot "$STATE/no-run"
rm -rf "$STATE/no-run"
tap_end
