#!/bin/bash
# Checks the tables of conformance.md: each behaviour has one row, and each row
# names tests that exist, or says why there are none.
#
#   check_conformance.sh CONFORMANCE.md IDS FILE...
#
# IDS has the number of each behaviour, one in a line. The FILEs are all that
# there is, named from the root of the repository: a test is looked for in them,
# and what is not built yet must not be among them.
set -euo pipefail

readonly table=$1 ids=$2
shift 2

declare -A is_file
for file in "$@"; do is_file[$file]=1; done

failures=0
fail() {
  echo "$table: $*" >&2
  failures=1
}

# has_test FILE SUITE TEST: also where the macro goes over two lines.
has_test() {
  tr '\n' ' ' <"$1" | grep -qE "\b(TYPED_)?TEST(_[PF])?\($2, *$3\)"
}

# check_test NUMBER TEXT: the text names a test, or code that does not compile.
check_test() {
  local file suite test
  if [[ $2 =~ ^([a-z0-9_/]+_test\.cc):\ ([A-Za-z0-9]+)\.([A-Za-z0-9]+)$ ]]; then
    file=${BASH_REMATCH[1]} suite=${BASH_REMATCH[2]} test=${BASH_REMATCH[3]}
    if [[ -z ${is_file[$file]:-} ]]; then
      fail "$1: there is no $file"
    elif ! has_test "$file" "$suite" "$test"; then
      fail "$1: there is no such test: $2"
    fi
  elif [[ $2 =~ ^[a-z0-9_/]+/compile_fail/[a-z0-9_]+\.cc$ ]]; then
    [[ -n ${is_file[$2]:-} ]] || fail "$1: there is no $2"
  else
    fail "$1: neither a test nor a reason: $2"
  fi
}

# check_not_built NUMBER PATH: neither the folder nor the file.
check_not_built() {
  local file
  for file in "${!is_file[@]}"; do
    if [[ $file == "$2"/* || $file == "$2".h || $file == "$2".cc ]]; then
      fail "$1: $2 is built: there is $file"
      return
    fi
  done
}

# check_cited NUMBER HOW: a file of a test that is named says the number, so that
# who changes the test knows what it is for.
check_cited() {
  local file
  local -a files
  mapfile -t files < <(grep -oE '[a-z0-9_/]+_test\.cc' <<<"$2")
  ((${#files[@]})) || return 0
  for file in "${files[@]}"; do
    if [[ -z ${is_file[$file]:-} ]] || grep -qwF -- "$1" "$file"; then return; fi
  done
  fail "$1: not cited in ${files[*]}"
}

# check_row NUMBER BEHAVIOUR HOW
check_row() {
  local how=$3
  check_cited "$1" "$how"
  [[ -n ${2// /} ]] || fail "$1 says nothing"
  if [[ $how =~ ^'Rust only: '.+$ ]]; then
    return
  elif [[ $how =~ ^'not built yet: '([a-z0-9_/]+)$ ]]; then
    check_not_built "$1" "${BASH_REMATCH[1]}"
    return
  elif [[ $how =~ ^'ours differs: clause '[0-9]+', '[^\;]+(\; (.+))?$ ]]; then
    how=${BASH_REMATCH[2]}
  elif [[ -z $how ]]; then
    fail "$1: neither a test nor a reason"
  fi
  while [[ -n $how ]]; do
    check_test "$1" "${how%%; *}"
    if [[ $how == *'; '* ]]; then how=${how#*; }; else how=; fi
  done
}

rows=$(grep '^| R-' "$table" || true)
[[ -n $rows ]] || fail 'there are no rows'
while IFS='|' read -r _ number behaviour how _; do
  how=${how# }
  check_row "${number// /}" "$behaviour" "${how% }"
done <<<"$rows"

numbers=$(sed -nE 's/^\| (R-[^ |]*) .*/\1/p' <<<"$rows")
compare() {
  local found
  found=$(comm "$2" <(sort -u "$ids") <(sort -u <<<"$numbers") | xargs)
  [[ -z $found ]] || fail "$1: $found"
}
compare 'no row' -23
compare 'no such behaviour' -13
twice=$(sort <<<"$numbers" | uniq -d | xargs)
[[ -z $twice ]] || fail "twice: $twice"

exit "$failures"
