#!/bin/bash
# Starts one instance: notes its process id, enters its control groups before anything of it runs, and becomes the command.
# With `mount` (root, in a mount namespace of its own) it shows the instance's folders under /mnt, which the session's own
# user can walk to wherever the data folder lies; nobody outside this namespace sees that.
# usage: launch.sh FOLDER mount|plain [CGROUP.PROCS ...] -- COMMAND [ARGUMENT ...]
set -e
folder=$1
way=$2
shift 2
# Whatever the controller itself was started with must not reach an instance. 255 is bash's own, closed by it.
for path in /proc/self/fd/*; do
  number=${path##*/}
  if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then eval "exec $number>&-"; fi
done
echo $$ >"$folder/pid"
while [ "$1" != -- ]; do
  echo 0 >"$1"
  shift
done
shift
if [ "$way" = mount ]; then
  # Opened first: the folder itself may lie under /mnt.
  exec 5<"$folder/root" 6<"$folder/home" 7<"$folder/run" 8<"$folder/resolv.conf" 9>>"$folder/status" 4<"$folder/arguments"
  more=()
  for path in "$folder"/shown/*; do
    exec {number}<"$path"
    more+=("$number:${path##*/}")
  done
  mount -t tmpfs -o mode=755,size=64k kalnet /mnt
  mkdir /mnt/root /mnt/home /mnt/run
  : >/mnt/resolv.conf
  mount --no-canonicalize --bind /proc/self/fd/5 /mnt/root
  mount --no-canonicalize --bind /proc/self/fd/6 /mnt/home
  mount --no-canonicalize --bind /proc/self/fd/7 /mnt/run
  mount --no-canonicalize --bind /proc/self/fd/8 /mnt/resolv.conf
  for each in "${more[@]}"; do
    number=${each%%:*}
    if [ -d "/proc/self/fd/$number" ]; then mkdir "/mnt/${each#*:}"; else : >"/mnt/${each#*:}"; fi
    mount --no-canonicalize --bind "/proc/self/fd/$number" "/mnt/${each#*:}"
    exec {number}<&-
  done
  exec 3>&9 5<&- 6<&- 7<&- 8<&- 9>&-
else
  exec 3>>"$folder/status" 4<"$folder/arguments"
fi
exec "$@"
