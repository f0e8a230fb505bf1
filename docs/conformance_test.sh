#!/bin/bash
# Checks the tables of conformance.md: each row names a test that exists, or
# says why there is none, and no number is missing or there twice.
#
#   conformance_test.sh CONFORMANCE.md TEST_SOURCE...
set -euo pipefail

readonly table=$1
shift

failures=0
fail() {
  echo "$table: $*" >&2
  failures=1
}

# exists FILE SUITE TEST: also where the macro goes over two lines.
exists() {
  tr '\n' ' ' <"$1" | grep -qE "\bTEST(_[PF])?\($2, *$3\)"
}

rows=0
while IFS='|' read -r _ number behaviour how _; do
  number=${number// /}
  how=${how# }
  how=${how% }
  rows=$((rows + 1))
  [[ -n ${behaviour// /} ]] || fail "$number says nothing"
  if [[ $how =~ ^([a-z_/]+_test\.cc):\ ([A-Za-z0-9]+)\.([A-Za-z0-9]+)$ ]]; then
    file=${BASH_REMATCH[1]}
    if [[ " $* " != *" $file "* ]]; then
      fail "$number: $file is no input of this check"
    elif ! exists "$file" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"; then
      fail "$number: there is no such test: $how"
    fi
  elif [[ ! $how =~ ^later:\ with\ [a-z]+( [a-z]+)?$ &&
    ! $how =~ ^ours\ differs:\ clause\ [0-9]+,\ .+$ ]]; then
    fail "$number: neither a test nor a reason: $how"
  fi
done < <(grep '^| R-' "$table")
((rows > 0)) || fail 'there are no rows'

twice=$(grep -oE '^\| R-[0-9]+' "$table" | sort | uniq -d)
[[ -z $twice ]] || fail "twice: $twice"
for range in '1 43' '50 70' '80 102' '110 120' '140 145' '150 171' '180 186'; do
  # shellcheck disable=SC2086  # Two words.
  for n in $(seq $range); do
    grep -q "^| $(printf 'R-%03d' "$n") " "$table" || fail "no row for $n"
  done
done

exit "$failures"
