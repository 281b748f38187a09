# Checks in shell that speak TAP: one line per check, the plan at the end.
#
# Sourced by POSIX sh test programs with TOP set. End with tap_end: it prints
# the plan and makes the exit status. A command's output goes to stderr as
# comments only when the check fails, so a log explains itself.
# shellcheck shell=sh

tap_count=0
tap_failed=0

# check NAME COMMAND...: passes when the command does
check() {
    tap_name=$1
    shift
    tap_count=$((tap_count + 1))
    if tap_output=$("$@" 2>&1); then
        echo "ok $tap_count - $tap_name"
    else
        tap_status=$?
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $tap_name"
        echo "# $* -> status $tap_status"
        printf '%s\n' "$tap_output" | tail -n 30 | sed 's/^/#   /'
    fi
}

# refuses NAME PATTERN COMMAND...: the command fails, and its output matches PATTERN
refuses() {
    tap_name=$1 tap_pattern=$2
    shift 2
    check "$tap_name" tap_refuses "$tap_pattern" "$@"
}

tap_refuses() {
    pattern=$1
    shift
    if output=$("$@" 2>&1); then
        echo "was accepted: $output"
        return 1
    fi
    printf '%s\n' "$output" | grep -q -E -e "$pattern" || {
        echo "refused without saying /$pattern/: $output"
        return 1
    }
}

# equals NAME WANTED GOT
equals() {
    check "$1" tap_equals "$2" "$3"
}

tap_equals() {
    [ "$1" = "$2" ] || {
        echo "wanted: $1"
        echo "got:    $2"
        return 1
    }
}

# matches NAME PATTERN TEXT
matches() {
    check "$1" tap_matches "$2" "$3"
}

tap_matches() {
    printf '%s\n' "$2" | grep -q -E -e "$1" || {
        echo "no line matches /$1/ in:"
        printf '%s\n' "$2"
        return 1
    }
}

tap_end() {
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
}
