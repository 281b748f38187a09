# The procedures of docs/, run as they are written there, on the host that the end-to-end tests share.
#
# A block that begins with ```sh run=NAME belongs to procedure NAME of its file. A procedure's blocks are one script, in
# their order, so what one sets the next has. It runs in a folder of its own, with what the documents say is set:
# XS_URL, XS_KEY, XS_FINGERPRINT; for operators also HOST (the running host's folder), DATA (its data disk) and host/ in PATH.
# Sourced with TOP set, after host/lib.sh, tests/tap/tap.sh and tests/e2e/lib.sh.
# shellcheck shell=sh

DESK=$E2E/docs                          # where the reader sits
rm -rf "$DESK"
mkdir -p "$DESK"

# procedure FILE NAME: its script
procedure() {
    awk -v name="run=$2" '/^```/ && open { open = 0; next } /^```sh / && $2 == name { open = 1; next } open' "$TOP/docs/$1"
}

# follows FILE NAME...: each command of these procedures succeeds, one after the other in one shell; the first NAME is all of it
follows() {
    file=$1 first=$2
    shift
    for name in "$@"; do
        [ -n "$(procedure "$file" "$name")" ] || { echo "docs/$file has no procedure $name"; return 1; }
    done
    for name in "$@"; do
        procedure "$file" "$name"
    done >"$DESK/$first.sh"
    (cd "$DESK" && HOME=$DESK HOST=$RUN DATA=$E2E/data.img PATH=$TOP/host:$STATE/bin:$STATE/sbin:$PATH sh -eux "$first.sh") >"$DESK/$first.out" 2>&1 || {
        status=$?
        cut -c 1-300 "$DESK/$first.out"
        return $status
    }
}

said() {                                # said NAME PATTERN: the procedure printed a line like that
    grep -q -E -e "$2" "$DESK/$1.out" || { tail -n 40 "$DESK/$1.out"; return 1; }
}

as_customer() {                         # as_customer NAME AMOUNT: the procedures that follow are this customer's
    customer "$1" "$2"
    reader "$KEY"
}

reader() {                              # reader KEY: what everybody's shell has set
    XS_URL=$API XS_KEY=$1
    XS_FINGERPRINT=$(openssl x509 -in "$E2E/secret/conf/tls.crt" -noout -fingerprint -sha256 | sed 's/.*=//')
    export XS_URL XS_KEY XS_FINGERPRINT
}
