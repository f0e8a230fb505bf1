#!/bin/bash
# Every workload with few operations, from outside: exit codes and what is
# printed.
#
#   workloads_test.sh PROGRAM
set -uo pipefail

readonly program=$1
readonly names='ping_pong counting fanin thread_ring fork_join_create idle_memory fork_join_throughput big ask skynet ask_outside'
readonly header='workload,workers,param,temperature,operations,seconds,operations_per_second,peak_rss_bytes,bytes_per_actor,allocations_per_operation'
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
  [[ $2 == "$3" ]] && return
  printf '%s is\n%s\nand not\n%s\n\n' "$1" "$2" "$3"
  failures=1
}

# Workload, workers, parameter and temperature of each row of a CSV that is as it
# should be otherwise.
rows() {
  awk -F, -v header="$header" '
    NR == 1 { if ($0 != header) print "header: " $0; next }
    NF != 10 { print NF " columns: " $0; next }
    $5 !~ /^[1-9][0-9]*$/ || $6 !~ /^[0-9]+\.[0-9]+$/ || $7 <= 0 ||
      $8 < 1e6 || $10 !~ /^[0-9.e+-]+$/ { print "values: " $0; next }
    ($9 != "") != ($1 == "idle_memory") { print "bytes per actor: " $0; next }
    { print $1, $2, $3, $4 }'
}

# expected WORKERS PARAMETER NAME...: two repetitions of each.
expected() {
  local workers=$1 parameter=$2 name
  shift 2
  for name in "$@"; do
    printf '%s\n' "$name $workers $parameter cold" "$name $workers $parameter warm"
  done
}

for workers in 1 2; do
  out=$("$program" --workers="$workers" --repetitions=2 --scale=0.001 \
    --format=csv 2>"$TEST_TMPDIR/err")
  expect "exit code with $workers workers" "$?" 0
  # shellcheck disable=SC2086  # A list.
  expect "rows with $workers workers" "$(rows <<<"$out")" \
    "$(expected "$workers" '' $names)"
  expect "round trips of a cache line with $workers workers" \
    "$(grep -cE '^# cache line .*: [0-9]+ ns$' "$TEST_TMPDIR/err")" 2
done

out=$("$program" --workers=2 --forced --repetitions=2 --scale=0.001 \
  --format=csv 2>"$TEST_TMPDIR/err")
expect 'exit code of forced runs' "$?" 0
expect 'rows of forced runs' "$(rows <<<"$out")" \
  "$(expected 2 forced ping_pong counting fanin fork_join_throughput big ask)"

# All of the numbers of operations that the definitions say, for the small one.
out=$("$program" --workload=thread_ring --repetitions=1 --scale=0.01 --format=csv \
  2>"$TEST_TMPDIR/err")
expect 'operations of a hundredth of thread_ring' "$(cut -d, -f5 <<<"$out" | tail -1)" \
  50000

out=$("$program" --workload=skynet --repetitions=1 --scale=0.001)
expect 'exit code of a text' "$?" 0
expect 'comments in a text' "$(grep -c '^# cache line' <<<"$out")" 2
expect 'rows of a text' "$(grep -cE '^skynet +1 +cold +0\.001 ' <<<"$out")" 1

# fails WHAT MESSAGE FLAG...: exits with 1 and says MESSAGE.
fails() {
  local what=$1 message=$2
  shift 2
  "$program" "$@" >"$TEST_TMPDIR/out" 2>"$TEST_TMPDIR/err"
  expect "exit code of $what" "$?" 1
  grep -qF -- "$message" "$TEST_TMPDIR/err" ||
    expect "message of $what" "$(cat "$TEST_TMPDIR/err")" "... $message ..."
}

fails 'an unknown workload' 'workloads: --workload=ring is unknown' --workload=ring
fails 'an unknown format' '--format=xml is neither text nor csv' --format=xml
fails 'no workers' '--repetitions and --workers are at least 1' --workers=0
fails 'a workload without sides' 'thread_ring has no two sides' \
  --workload=thread_ring --forced --workers=2
fails 'forced on one worker' '--forced needs --workers=2' --forced
fails 'a run that does not finish' 'ping_pong: not finished after' \
  --workload=ping_pong --timeout=1us
fails 'a run in a child that does not finish' 'workloads: ping_pong failed' \
  --timeout=1us

exit "$failures"
