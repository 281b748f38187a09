# What makes images shares: which Debian packages there are, and what is in them.
#
# Sourced by POSIX sh after host/lib.sh. Nothing is installed on the machine that builds.
# shellcheck shell=sh

LISTS=$(stat -c '%n %Y %s' /var/lib/apt/lists/* /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || :)

# apt as if nothing were installed: it then names everything that is needed.
apt_bare() {
    mkdir -p "$CACHE/debs/partial"
    : >"$CACHE/status"
    apt-get -q -o Dir::State::status="$CACHE/status" -o Dir::Cache::archives="$CACHE/debs" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User=root -y --no-install-recommends "$@"
}

# uris apt-get-words...: the URI lines (with file name and hash) of what an empty
# cache would fetch. apt is slow to ask, so the answer is kept until its lists change.
uris() {
    answer=$CACHE/uris/$(key_of "$LISTS" "$@")
    if [ ! -s "$answer" ]; then
        mkdir -p "$CACHE/no-debs/partial" "$CACHE/uris"
        ask_uris "$@" >"$answer.new"
        mv "$answer.new" "$answer"
    fi
    cat "$answer"
}

ask_uris() {
    apt_bare -o Dir::Cache::archives="$CACHE/no-debs" --print-uris "$@" 2>&1 | grep "^'" | sort ||
        die "apt knows no package for: $* (run apt-get update, and check the Debian sources)"
}

# one_file PACKAGE PATH: that file of the package, to standard output
one_file() {
    uri=$(uris download "$1")
    file=$(printf '%s\n' "$uri" | cut -d' ' -f2)
    (cd "$CACHE/debs" && { [ -f "$file" ] || apt_bare download "$1" >/dev/null; })
    dpkg-deb --fsys-tarfile "$CACHE/debs/$file" | tar -xO "$2"
}

# pack DIR FILE: DIR as an initrd. Not compressed: QEMU loads it faster than
# an emulated CPU unpacks it.
pack() {
    (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$2"
}

# static_busybox DIR: Debian's static build, as DIR/bin/busybox
static_busybox() {
    mkdir -p "$1/bin"
    one_file busybox-static ./bin/busybox >"$1/bin/busybox"
    chmod 755 "$1/bin/busybox"
}
