#!/bin/sh
# Runs inside mmdebstrap's namespace after the packages are in: $1 is the new root; beside this file lie `files`, `remove` and `run`.
# Everything happens in the root itself (chroot), so that no link in it can lead out.
set -eu
root=$1
work=$(dirname "$0")
inside() { chroot "$root" "$@"; }

# The person of every session, and the places a platform puts something over.
inside sh -ec '
  getent passwd 1000 >/dev/null || {
    echo "user:x:1000:" >>/etc/group
    echo "user:x:1000:1000:User:/home/user:/bin/bash" >>/etc/passwd
  }
  mkdir -p /home/user /run/kalnet /usr/lib/kalnet
'

# files/<n> with files/<n>.path and files/<n>.mode
for path in "$work"/files/*.path; do
  [ -e "$path" ] || continue
  one=${path%.path}
  inside sh -ec 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"' sh "$(cat "$path")" "$(cat "$one.mode")" <"$one"
done

inside dpkg-query -W -f '${Package} ${Version}\n' | inside sh -c 'cat >/usr/lib/kalnet/packages.txt'

# One pattern a line; what the kernel mounted here is never touched.
inside sh -c '
  IFS=
  while read -r pattern; do
    for path in $pattern; do
      case $path in / | /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) ;; *) rm -rf --one-file-system -- "$path" ;; esac
    done
  done
' <"$work/remove"

# run/<n>: one command each, words ended by zero bytes.
for command in "$work"/run/*; do
  [ -e "$command" ] || continue
  xargs -0 -a "$command" chroot "$root"
done
