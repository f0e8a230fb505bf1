#!/bin/bash
# Checks that the tests exist that a page names, as `folder/x_test.cc: Suite.Test`.
#
#   check_named_tests.sh PAGE FILE...
#
# The FILEs are named from the root of the repository: a test is looked for in
# those. A page that names none is wrong, too.
set -euo pipefail

readonly page=$1
shift

declare -A is_file
for file in "$@"; do is_file[$file]=1; done

failures=0
fail() {
  echo "$page: $*" >&2
  failures=1
}

mapfile -t named < <(
  grep -oE '[a-z0-9_/]+_test\.cc: [A-Za-z0-9]+\.[A-Za-z0-9]+' "$page" | sort -u
)
((${#named[@]})) || fail "names no test"
for name in "${named[@]}"; do
  file=${name%%:*} test=${name#*: }
  if [[ -z ${is_file[$file]:-} ]]; then
    fail "there is no $file"
  elif ! tr '\n' ' ' <"$file" |
    grep -qE "\bTEST(_[PF])?\(${test%.*}, *${test#*.}\)"; then
    fail "there is no such test: $name"
  fi
done
exit "$failures"
