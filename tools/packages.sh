# shellcheck shell=bash
# Sourced by ./bazelw and .ci/run: installs what is missing from a machine.
#
#   require FILE PACKAGE   notes PACKAGE as missing unless FILE exists
#   install_missing        installs all that was noted, or says why not and exits
#
# With nothing missing this costs a few file tests: no network, no package
# database.

missing_packages=()

require() {
  [[ -e $1 ]] || missing_packages+=("$2")
}

# Asks only where somebody can answer.
confirm_install() {
  [[ -z ${CI:-} && -t 0 && -t 2 ]] || return 0
  local answer
  read -r -p "Install now? [Y/n] " answer
  [[ -z $answer || $answer == [Yy]* ]]
}

apt_get() {
  local command=(
    env DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
  )
  if ((EUID != 0)); then
    command=(sudo "${command[@]}")
  fi
  "${command[@]}" </dev/null >&2
}

install_missing() {
  ((${#missing_packages[@]})) || return 0
  local packages="${missing_packages[*]}"
  if ! command -v apt-get >/dev/null; then
    cat >&2 <<END
This build needs what Debian and Ubuntu package as
    $packages
Install the like here, or install Bazel 7 or newer: it brings the libraries.
END
    exit 1
  fi
  echo "Missing packages: $packages" >&2
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    echo "Install them as root: apt-get install $packages" >&2
    exit 1
  fi
  if ! confirm_install; then
    echo "Nothing was installed." >&2
    exit 1
  fi
  # An unreachable list of somebody else's is no reason to stop.
  apt_get update || true
  if ! apt_get install --yes --no-install-recommends "${missing_packages[@]}"; then
    echo "Not installed: $packages" >&2
    exit 1
  fi
  missing_packages=()
}
