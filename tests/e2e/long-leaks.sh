#!/bin/sh
# leaks.sh with 200 rounds.
XS_ROUNDS=200 exec "$(dirname "$0")/leaks.sh"
