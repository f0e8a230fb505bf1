#!/bin/bash
# Tests check_named_tests.sh: what it finds, and what it lets pass.
set -uo pipefail

readonly check=$PWD/docs/check_named_tests.sh
cd "$TEST_TMPDIR" || exit 1
failures=0

mkdir -p cluster
cat >cluster/a_test.cc <<'END'
TEST(PlainTest, Holds) {}
TEST_F(LongNameOfATest,
       AlsoHolds) {}
END

# expect STATUS TEXT PAGE: what it says of a page of that text.
expect() {
  local output status=0
  echo "$3" >page.md
  output=$("$check" page.md cluster/a_test.cc 2>&1) || status=$?
  if [[ $status != "$1" || $output != *"$2"* ]]; then
    echo "Of '$3' it says: $output ($status), not: $2 ($1)"
    failures=1
  fi
}

expect 0 "" '| x | `cluster/a_test.cc: PlainTest.Holds` |'
expect 0 "" 'cluster/a_test.cc: LongNameOfATest.AlsoHolds'
expect 1 "names no test" 'cluster/a_test.cc holds it'
expect 1 "there is no cluster/b_test.cc" 'cluster/b_test.cc: PlainTest.Holds'
expect 1 "no such test: cluster/a_test.cc: PlainTest.Hold" \
  '`cluster/a_test.cc: PlainTest.Hold`'
expect 1 "no such test: cluster/a_test.cc: LainTest.Holds" \
  '`cluster/a_test.cc: LainTest.Holds`'
exit "$failures"
