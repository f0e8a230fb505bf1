#!/bin/bash
# Whether a compilation failed for the expected reason.
#
#   check_diagnostics.sh STATUS_FILE DIAGNOSTICS_FILE PATTERN...
#
# The files hold the compiler's exit code and what it wrote. Fails when it
# succeeded, or when an extended regular expression matches no line of it.
set -euo pipefail

status=$(<"$1")
readonly status diagnostics=$2
shift 2

if ((status == 0)); then
  echo "The file compiled, and must not." >&2
  exit 1
fi

missing=0
for pattern in "$@"; do
  if ! grep --quiet --extended-regexp --regexp="$pattern" "$diagnostics"; then
    echo "The compiler did not say: $pattern" >&2
    missing=1
  fi
done
if ((missing)); then
  echo "It said:" >&2
  cat "$diagnostics" >&2
  exit 1
fi
