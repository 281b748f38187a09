#!/bin/sh
# backend-kill.sh with 100 kills.
XS_KILLS=100 exec "$(dirname "$0")/backend-kill.sh"
