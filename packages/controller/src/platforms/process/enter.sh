#!/bin/bash
# Enters an instance's control groups and becomes the command: what is run inside later is within its limits, too.
# usage: enter.sh [CGROUP.PROCS ...] -- COMMAND [ARGUMENT ...]
set -e
# Whatever the controller itself was started with must not reach an instance. 255 is bash's own, closed by it.
for path in /proc/self/fd/*; do
  number=${path##*/}
  if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then eval "exec $number>&-"; fi
done
while [ "$1" != -- ]; do
  echo 0 >"$1"
  shift
done
shift
exec "$@"
