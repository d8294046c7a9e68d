#!/bin/sh
# Runs its arguments and ends the whole process group when standard input closes: whoever started us has gone, or asks for the end.
# mmdebstrap on its own ignores a request to end while its children work; asked together with them, it cleans up.
exec 3<&0
"$@" </dev/null &
child=$!
(
  trap '' TERM
  cat <&3
  kill -TERM 0
  sleep 10
  kill -KILL 0
) >/dev/null 2>&1 &
guard=$!
trap '' TERM
wait "$child"
code=$?
kill -KILL "$guard"
exit "$code"
