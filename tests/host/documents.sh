#!/bin/sh
# docs/: each block of shell belongs to a procedure, each procedure is run by a test, and what links name is there.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
cd "$TOP/docs"

blocks() {                              # FILE NAME of each
    sed -n 's/^```sh run=\([a-z-]*\)$/\1/p' "$1" | sort -u | sed "s|^|$1 |"
}
unmarked() {                            # fences that open and say neither that they are run nor that they are text
    awk '/^```/ { open = !open; if (open && $0 !~ /^```(sh run=[a-z-]+|text)$/) print FILENAME ": " $0 }' "$@"
}
not_run() {
    for file in *.md; do
        blocks "$file"
    done | while read -r file name; do
        grep -q -E "follows $file( [a-z-]+)* $name( |\$)" "$TOP"/tests/docs/*.sh || echo "$file: $name"
    done
}
broken() {
    grep -o '](\([^)#:]*\))' -- *.md ../README.md | sed 's/:](/ /; s/)$//' | while read -r file target; do
        [ -e "$(dirname "$file")/$target" ] || echo "$file: $target"
    done
}
equals 'each block of shell says which procedure it is of' '' "$(unmarked *.md)"
equals 'each procedure is run by tests/docs' '' "$(not_run)"
check 'there are some' test "$(for file in *.md; do blocks "$file"; done | wc -l)" -ge 10
equals 'what links lead to is there' '' "$(broken)"
tap_end
