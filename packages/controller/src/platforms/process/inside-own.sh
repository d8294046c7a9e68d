#!/bin/sh
# Runs inside a network namespace that an ordinary user made for one instance, before the sandbox: nothing but a loopback
# is there, and nothing leads out. Then becomes the command.
# usage: inside-own.sh COMMAND [ARGUMENT ...]
set -e
ip link set lo up
exec "$@"
