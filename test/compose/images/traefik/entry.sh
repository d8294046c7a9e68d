#!/bin/sh
# As the published image: words that begin with a dash are Traefik's own.
case "${1:-}" in -*) set -- traefik "$@" ;; esac
exec "$@"
