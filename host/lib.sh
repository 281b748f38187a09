# What ./run, ./test and host/ share: places, messages, caching by key.
#
# Sourced by POSIX sh with TOP set to the root of the tree. Everything made
# outside the build goes below $STATE, so that removing it starts afresh.
# shellcheck shell=sh disable=SC2034

STATE=${XS_STATE:-$TOP/state}
BUILD=${XS_BUILD:-$TOP/build}
CACHE=$STATE/cache
IMAGES=$STATE/images
HV=${XS_HV:-$BUILD/hv/xenoserver}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# key_of WORD...: one hash over the words and over the content of those that are files.
key_of() {
    for word in "$@"; do
        if [ -f "$word" ]; then
            sha256sum <"$word"
        else
            printf '%s\n' "$word"
        fi
    done | sha256sum | cut -c1-32
}

# fresh FILE KEY: was FILE made from the inputs that KEY stands for?
fresh() {
    [ -e "$1" ] && [ -e "$1.key" ] && [ "$(cat "$1.key")" = "$2" ]
}

# seal FILE KEY: FILE.new is complete; put it in place, then its key. In this
# order a crash between the two only costs making it again.
seal() {
    rm -f "$1.key"
    mv "$1.new" "$1"
    printf '%s\n' "$2" >"$1.key"
}

now_ms() {
    date +%s%3N
}
