#!/bin/sh
# Runs inside the network namespace that pasta made for an ordinary user, before the sandbox: only the outside is
# reachable, by a gateway that is nobody's address; the local ranges given as arguments are not. Then becomes the command.
# usage: inside-pasta.sh RANGE ... -- COMMAND [ARGUMENT ...]
set -e
device=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
if [ -n "$device" ]; then
  ip -4 route flush table main
  ip -4 route add default via 169.254.0.1 dev "$device" onlink
fi
ip -6 route flush table main 2>/dev/null || true
while [ "$1" != -- ]; do
  ip -4 route add unreachable "$1" 2>/dev/null || ip -4 route replace unreachable "$1"
  shift
done
shift
exec "$@"
