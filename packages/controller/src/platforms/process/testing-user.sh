#!/bin/sh
# For tests, as root in a mount namespace of its own: what an ordinary user of a usual machine has (a work tree that can be
# read, /dev/net/tun that can be opened), then becomes the command as that user.
# usage: testing-user.sh REPOSITORY SCRATCH UID COMMAND [ARGUMENT ...]
set -e
repository=$1
scratch=$2
uid=$3
shift 3
mkdir -p "$scratch/repository"
mount --bind "$repository" "$scratch/repository"
if [ -c /dev/net/tun ]; then
  [ -e "$scratch/tun" ] || mknod -m 666 "$scratch/tun" c 10 200
  mount --bind "$scratch/tun" /dev/net/tun
fi
cd "$scratch/repository"
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
