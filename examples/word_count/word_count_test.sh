#!/bin/bash
# The program from outside: what it prints where, and its exit code.
#
#   word_count_test.sh PROGRAM
set -uo pipefail

program=$PWD/$1
cd examples/word_count/testdata || exit 1
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
  [[ $2 == "$3" ]] && return
  printf '%s is\n%s\nand not\n%s\n\n' "$1" "$2" "$3"
  failures=1
}

# What the totals begin with; the rest is time.
totals() {
  grep -oE '^[0-9]+ words? \([0-9]+ distinct\), .* in [0-9]+ inputs?' <<<"$1"
}

words() {
  tr -cs A-Za-z '\n' <"$1" | tr A-Z a-z | grep .
}

# The head of the shell's own table; ties come in the order of the alphabet.
top() {
  words "$1" | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2 | head -n "$2" |
    awk '{ print $1, $2 }'
}

for workers in 1 3; do
  out=$("$program" --top=20 --workers="$workers" prose.txt)
  expect "exit code with $workers workers" "$?" 0
  expect "table with $workers workers" \
    "$(awk '/^ *[0-9]+  / { print $1, $2 }' <<<"$out")" "$(top prose.txt 20)"
  expect "totals with $workers workers" "$(totals "$out")" \
    "$(words prose.txt | wc -l) words ($(words prose.txt | sort -u | wc -l) distinct), $(
      awk -v bytes="$(wc -c <prose.txt)" 'BEGIN { printf "%.1f kB", bytes / 1000 }'
    ) in 1 input"
done

expect 'output of standard input' \
  "$(totals "$("$program" --top=1 <prose.txt)")" "$(totals "$out")"

errors=$("$program" no_such_file.txt prose.txt "$program" 2>&1 >"$TEST_TMPDIR/out")
expect 'exit code with inputs that cannot be counted' "$?" 1
expect 'standard error with them' "$errors" \
  "word_count: no_such_file.txt: No such file or directory
word_count: $program: binary file"
expect 'totals of the others' "$(totals "$(cat "$TEST_TMPDIR/out")")" "$(totals "$out")"

expect 'words as JSON' \
  "$("$program" --json prose.txt | grep -oE '"words": [0-9]+')" \
  "\"words\": $(words prose.txt | wc -l)"

# `bazel run` starts the program elsewhere and tells where it was called.
expect 'totals under bazel run' \
  "$(cd / && totals "$(BUILD_WORKING_DIRECTORY=$OLDPWD "$program" prose.txt)")" \
  "$(totals "$out")"

"$program" --workers=-1 prose.txt 2>"$TEST_TMPDIR/err"
expect 'exit code with a wrong flag' "$?" 1
expect 'standard error with a wrong flag' "$(cat "$TEST_TMPDIR/err")" \
  'word_count: --workers=-1: must be from 0 to 1024'

exit "$failures"
