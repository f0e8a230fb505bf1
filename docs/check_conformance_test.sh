#!/bin/bash
# Tests check_conformance.sh: a good table passes, each mistake is named.
set -uo pipefail

readonly check=$PWD/docs/check_conformance.sh
cd "$TEST_TMPDIR" || exit 1
failures=0

mkdir -p actor/compile_fail cluster
cat >actor/call_test.cc <<'END'
// R-001
TEST(CallTest, Answers) {}
TEST_P(CallTest,
       GoesOverTwoLines) {}
TYPED_TEST(NumberTest, Crosses) {}
END
touch actor/compile_fail/wrong.cc cluster/transport.h
readonly files=(actor/call_test.cc actor/compile_fail/wrong.cc cluster/transport.h)

# check TABLE_ROWS IDS: prints what the check says.
check() {
  printf '%s\n' '# Title' '' '| | Behaviour | Test |' '|---|---|---|' "$1" >table.md
  tr ' ' '\n' <<<"$2" >ids.txt
  "$check" table.md ids.txt "${files[@]}" 2>&1
}

# accepts HOW: as the reason of a row.
accepts() {
  local said
  if ! said=$(check "| R-001 | It works | $1 |" 'R-001'); then
    echo "Refused, and must not be: $1: $said"
    failures=1
  fi
}

# finds TEXT ROWS [IDS]: the check fails and says TEXT.
finds() {
  local said
  if said=$(check "$2" "${3:-R-001}"); then
    echo "Passed, and must not: $2"
    failures=1
  elif [[ $said != *"$1"* ]]; then
    echo "Did not say '$1' of $2: $said"
    failures=1
  fi
}

# refuses TEXT HOW
refuses() { finds "$1" "| R-001 | It works | $2 |"; }

readonly answers='actor/call_test.cc: CallTest.Answers'
accepts "$answers"
accepts 'actor/call_test.cc: CallTest.GoesOverTwoLines'
accepts 'actor/call_test.cc: NumberTest.Crosses'
accepts "$answers; actor/call_test.cc: NumberTest.Crosses"
accepts 'actor/compile_fail/wrong.cc'
accepts 'ours differs: clause 12, a handler is not preempted'
accepts "ours differs: clause 12, a handler is not preempted; $answers"
accepts 'Rust only: nothing is boxed'
accepts 'not built yet: pool'
accepts 'not built yet: cluster/session'

refuses 'no such test' 'actor/call_test.cc: CallTest.Answer'
refuses 'no such test' 'actor/call_test.cc: Call.Answers'
refuses 'no such test' "$answers; actor/call_test.cc: CallTest.Missing"
refuses 'no such test' 'ours differs: clause 1, so; actor/call_test.cc: CallTest.No'
refuses 'there is no actor/cell_test.cc' 'actor/cell_test.cc: CellTest.Answers'
refuses 'there is no actor/compile_fail/right.cc' 'actor/compile_fail/right.cc'
refuses 'actor is built' 'not built yet: actor'
refuses 'cluster/transport is built' 'not built yet: cluster/transport'
refuses 'neither a test nor a reason' 'not built yet: somewhen'\''s'
refuses 'neither a test nor a reason' 'later: with the cluster'
refuses 'neither a test nor a reason' 'ours differs: it is better'
refuses 'neither a test nor a reason' 'Rust only:'
refuses 'neither a test nor a reason' ''
finds 'says nothing' "| R-001 |  | $answers |"
finds 'no row: R-002' "| R-001 | It works | $answers |" 'R-001 R-002'
finds 'no such behaviour: R-001' "| R-001 | It works | $answers |" 'R-002'
finds 'twice: R-001' "| R-001 | It works | $answers |"$'\n'"| R-001 | So | $answers |"
finds 'there are no rows' 'nothing'
finds 'R-002: not cited in actor/call_test.cc' \
  "| R-002 | It works | $answers |" 'R-002'

exit "$failures"
