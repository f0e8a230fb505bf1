#!/bin/bash
# Runs buildifier with the arguments given, after fetching it on the first use.
#
#   tools/buildifier/run.sh -r .          # formats every BUILD and .bzl file
#
# Debian does not package it; the npm package of its authors ships the binary.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/packages.sh
source "$here/../packages.sh"

# A new version gets a new folder.
lock=$(sha256sum "$here/package-lock.json")
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/troupe/buildifier-${lock:0:16}
case $(uname -m) in
  aarch64) machine=arm64 ;;
  *) machine=amd64 ;;
esac
readonly binary=$cache/node_modules/@bazel/buildifier/buildifier-linux_$machine

if [[ ! -e $binary ]]; then
  command -v npm >/dev/null || require /usr/bin/npm npm
  install_missing
  mkdir -p "$cache"
  cp "$here/package.json" "$here/package-lock.json" "$cache"
  # Refuses a package whose checksum is not that of the lock file.
  (cd "$cache" && npm ci --loglevel=error --no-audit --no-fund >&2)
  chmod +x "$binary"
fi

exec "$binary" "$@"
