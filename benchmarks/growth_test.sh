#!/bin/bash
# Every measure with few operations, from outside: exit codes and what is
# printed.
#
#   growth_test.sh PROGRAM
set -uo pipefail

readonly program=$1
readonly header='measure,workers,figure,unit,minimum,median,maximum,goal,verdict'
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
  [[ $2 == "$3" ]] && return
  printf '%s is\n%s\nand not\n%s\n\n' "$1" "$2" "$3"
  failures=1
}

# Measure, workers and number of figures of a CSV that is as it should be
# otherwise.
rows() {
  awk -F, -v header="$header" '
    NR == 1 { if ($0 != header) print "header: " $0; next }
    NF != 9 { print NF " columns: " $0; next }
    !($5 + 0 <= $6 + 0 && $6 + 0 <= $7 + 0) { print "values: " $0; next }
    ($8 == "") != ($9 == "") || $9 !~ /^(met|missed)?$/ { print "goal: " $0; next }
    $1 " " $2 != last { if (last != "") print last, figures; last = $1 " " $2; figures = 0 }
    { ++figures }
    END { print last, figures }'
}

out=$("$program" --workers=1 --repetitions=2 --scale=0.001 --format=csv)
expect 'exit code with 1 worker' "$?" 0
expect 'rows with 1 worker' "$(rows <<<"$out")" 'cost_by_actors 1 10
memory_after_actors 1 5
burst 1 6
greedy_neighbour 1 7
blocked_worker 1 3
call_latency 1 6'

out=$("$program" --repetitions=2 --scale=0.001 --format=csv)
expect 'exit code with 2 workers' "$?" 0
expect 'rows with 2 workers' "$(rows <<<"$out")" 'cost_by_actors 2 10
memory_after_actors 2 5
burst 2 6
greedy_neighbour 2 7
spread 2 10
blocked_worker 2 3
slow_consumer 2 6
call_latency 2 6'

out=$("$program" --measure=burst --repetitions=1 --scale=0.001)
expect 'exit code of a text' "$?" 0
expect 'rows of a text' "$(grep -cE '^burst +2 +peak .* MB$' <<<"$out")" 1

# fails WHAT MESSAGE FLAG...: exits with 1 and says MESSAGE.
fails() {
  local what=$1 message=$2
  shift 2
  "$program" "$@" >"$TEST_TMPDIR/out" 2>"$TEST_TMPDIR/err"
  expect "exit code of $what" "$?" 1
  grep -qF -- "$message" "$TEST_TMPDIR/err" ||
    expect "message of $what" "$(cat "$TEST_TMPDIR/err")" "... $message ..."
}

fails 'an unknown measure' 'growth: --measure=size is unknown' --measure=size
fails 'an unknown format' '--format=xml is neither text nor csv' --format=xml
fails 'no workers' '--repetitions and --workers are at least 1' --workers=0
fails 'no operations' '--scale is greater than 0' --scale=0
fails 'a measure that needs more workers' 'the measure spread needs --workers=2' \
  --measure=spread --workers=1
fails 'a run that does not finish' 'growth: burst failed' \
  --measure=burst --scale=0.01 --timeout=1us
# A hundred messages never take as little memory each as the goal wants.
fails 'a goal that is missed' 'growth: a goal was missed' \
  --measure=burst --repetitions=1 --scale=0.00001 --strict

exit "$failures"
