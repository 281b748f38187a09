# browse FILE.mjs: run it with node against a host of its own. Sourced by the tests of this folder, with TOP set.
# shellcheck shell=sh
. "$TOP/host/lib.sh"

browse() {
    "$TOP/host/web" || exit 1
    make -C "$BUILD" -s tests/web/rig tests/api/xs-api >&2 || exit 1
    XS_PLAYWRIGHT=$("$TOP/host/npm" playwright-core@1.65.1) || exit 1
    XS_AXE=$("$TOP/host/npm" axe-core@4.14.1) || exit 1
    XS_RIG=$BUILD/tests/web/rig XS_BUILD=$BUILD XS_WEB=$STATE/web XS_SCREENS=$STATE/screens XS_TOP=$TOP
    export XS_PLAYWRIGHT XS_AXE XS_RIG XS_BUILD XS_WEB XS_SCREENS XS_TOP
    exec node "$TOP/tests/web/$1"
}
