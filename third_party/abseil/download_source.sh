#!/bin/bash
# Unpacks Debian's source package of Abseil, all of Debian's patches applied.
#
#   download_source.sh FOLDER
#
# The package is downloaded once, by apt-get with lists of its own: the system's
# are neither needed nor touched, and no rights are either.
set -euo pipefail

readonly folder=$1
readonly version=20220623.1-1+deb12u2
# Of the .dsc, which in turn holds the checksums of the other files.
readonly dsc_sha256=ba731eaced569332fa4ce802a7ff2615ae57ac25beaf2d02f634ef908f2e62c2
readonly dsc=abseil_$version.dsc
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/troupe/abseil-$version

checked() {
  echo "$dsc_sha256  $1/$dsc" | sha256sum --check --status 2>/dev/null
}

need() {
  if ! command -v "$1" >/dev/null; then
    echo "$1 is missing: install the package $2" >&2
    exit 1
  fi
}

# Downloads the files of the package to the current folder, from one archive.
download_from() {
  local archive=$1 security=$2 scratch
  scratch=$(mktemp -d)
  mkdir -p "$scratch/lists/partial"
  cat >"$scratch/abseil.sources" <<END
Types: deb-src
URIs: $archive
Suites: bookworm bookworm-updates
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: $security
Suites: bookworm-security
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
  local options=(
    -qq
    -o "Dir::Etc::SourceList=$scratch/abseil.sources"
    -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$scratch/lists"
    -o Dir::Cache::PkgCache=
    -o Dir::Cache::SrcPkgCache=
    # The files go to a folder of the caller's, which apt's own user may not
    # enter.
    -o "APT::Sandbox::User=$(id -un)"
  )
  local status=0
  apt-get "${options[@]}" update &&
    apt-get "${options[@]}" source --download-only "abseil=$version" || status=$?
  rm -rf "$scratch"
  return "$status"
}

# The archive forgets a version when the next one arrives; the snapshot of a day
# on which this one was current never does.
download() {
  download_from http://deb.debian.org/debian \
    http://deb.debian.org/debian-security ||
    download_from http://snapshot.debian.org/archive/debian/20250601T000000Z \
      http://snapshot.debian.org/archive/debian-security/20250601T000000Z
}

need dpkg-source dpkg-dev
need patch patch

if ! checked "$cache"; then
  need apt-get apt
  mkdir -p "$cache"
  incoming=$(mktemp -d "$cache.XXXXXX")
  (cd "$incoming" && download)
  if ! checked "$incoming"; then
    echo "$dsc is not the file that was expected" >&2
    rm -rf "$incoming"
    exit 1
  fi
  rm -rf "$cache"
  mv "$incoming" "$cache"
fi

# Refuses files whose checksums are not those of the .dsc.
dpkg-source --require-strong-checksums --extract "$cache/$dsc" "$folder" >/dev/null
