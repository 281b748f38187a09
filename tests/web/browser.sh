# A browser for tests: browse FILE.mjs runs it with node against a host of its own, for the tests of this folder;
# browser_there says where the parts are, for who has a host. Sourced with TOP set.
# shellcheck shell=sh
. "$TOP/host/lib.sh"

browser_there() {
    XS_PLAYWRIGHT=$("$TOP/host/npm" playwright-core@1.65.1) || exit 1
    XS_AXE=$("$TOP/host/npm" axe-core@4.14.1) || exit 1
    XS_BUILD=$BUILD XS_SCREENS=$STATE/screens XS_TOP=$TOP
    export XS_PLAYWRIGHT XS_AXE XS_BUILD XS_SCREENS XS_TOP
}

browse() {
    "$TOP/host/web" || exit 1
    make -C "$BUILD" -s tests/web/rig tests/api/xs-api >&2 || exit 1
    browser_there
    XS_RIG=$BUILD/tests/web/rig XS_WEB=$STATE/web
    export XS_RIG XS_WEB
    exec node "$TOP/tests/web/$1"
}
