#!/bin/bash
# Enters an instance's control groups and becomes the command: what is run inside later is within its limits, too.
# usage: enter.sh [CGROUP.PROCS ...] -- COMMAND [ARGUMENT ...]
set -e
while [ "$1" != -- ]; do
  echo 0 >"$1"
  shift
done
shift
exec "$@"
