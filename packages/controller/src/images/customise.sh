#!/bin/sh
# Runs inside mmdebstrap's namespace after the packages are in: $1 is the new root; beside this file lie `files`, `remove`, `run` and what was locked.
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

# npm's packages came as one tar file, made of nothing but what the lock's hashes allow; the named ones' scripts run in the root.
if [ -e "$work/npm.tar" ]; then
  opt=/opt/$(cat "$work/opt")
  inside mkdir -p "$opt" /usr/lib/kalnet/packages.d
  inside tar --extract --no-same-owner --preserve-permissions --directory="$opt" <"$work/npm.tar"
  inside sh -c 'cat >"$1"' sh "/usr/lib/kalnet/packages.d/npm-$(cat "$work/opt")" <"$work/npm.packages"
  while read -r name; do
    inside env -C "$opt/node_modules/$name" PATH="$opt/node_modules/.bin:/usr/local/bin:/usr/bin:/bin" HOME=/tmp node -e '
      const { scripts = {} } = require("./package.json")
      for (const stage of ["preinstall", "install", "postinstall"])
        if (scripts[stage]) require("node:child_process").execSync(scripts[stage], { stdio: "inherit" })
    '
  done <"$work/npm.scripts"
fi

# pip knows the way from its environment, and trusts whom the host trusts; what is lent for that goes again (resolv.conf and hosts are set anew later).
if [ -e "$work/requirements.txt" ]; then
  opt=/opt/$(cat "$work/opt")
  inside mkdir -p /usr/lib/kalnet/packages.d
  for name in resolv.conf hosts; do inside sh -c 'rm -f "$1"; cat >"$1"' sh "/etc/$name" <"$work/$name"; done
  [ ! -e "$work/certificates.pem" ] || inside sh -c 'cat >/tmp/kalnet-certificates.pem' <"$work/certificates.pem"
  inside sh -c 'cat >/tmp/kalnet-requirements.txt' <"$work/requirements.txt"
  export HOME=/tmp TMPDIR=/tmp
  inside python3 -m venv --system-site-packages "$opt"
  inside "$opt/bin/python" -m pip install --require-hashes --no-deps --only-binary=:all: --no-cache-dir \
    --disable-pip-version-check --no-input --quiet --requirement /tmp/kalnet-requirements.txt
  inside sh -c '"$1/bin/python" -m pip list --local --format=freeze --disable-pip-version-check |
    sed -n "/^\(pip\|setuptools\)==/!s/^\(.*\)==/pypi:\1 /p" >"$2"' sh "$opt" "/usr/lib/kalnet/packages.d/pypi-$(cat "$work/opt")"
  inside "$opt/bin/python" -m pip uninstall --yes --quiet --disable-pip-version-check setuptools pip
  inside rm -rf /tmp/kalnet-certificates.pem /tmp/kalnet-requirements.txt /tmp/.cache
fi

# files/<n> with files/<n>.path and files/<n>.mode
for path in "$work"/files/*.path; do
  [ -e "$path" ] || continue
  one=${path%.path}
  inside sh -ec 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"' sh "$(cat "$path")" "$(cat "$one.mode")" <"$one"
done

inside dpkg-query -W -f '${Package} ${Version}\n' | inside sh -c '
  cat >/usr/lib/kalnet/packages.txt
  for list in /usr/lib/kalnet/packages.d/*; do [ ! -e "$list" ] || cat "$list" >>/usr/lib/kalnet/packages.txt; done
'

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
