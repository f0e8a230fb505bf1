#!/bin/bash
# Tests check_diagnostics.sh: it is what makes a compile-fail test able to fail.
set -uo pipefail

readonly check=tools/check_diagnostics.sh
readonly folder=$TEST_TMPDIR
echo "a.cc:1:2: error: no message of this actor" >"$folder/diagnostics"
echo 0 >"$folder/compiled"
echo 1 >"$folder/failed"

failures=0

# expect WANTED_CODE WANTED_OUTPUT ARGUMENT...
expect() {
  local code=$1 output=$2 said got
  shift 2
  said=$("$check" "$@" 2>&1)
  got=$?
  if ((got != code)) || [[ $said != *"$output"* ]]; then
    echo "check_diagnostics $*: code $got, wanted $code, said: $said"
    failures=1
  fi
}

expect 0 "" "$folder/failed" "$folder/diagnostics" "no message" "error: .* actor$"
expect 1 "must not" "$folder/compiled" "$folder/diagnostics" "no message"
expect 1 "did not say: some other text" \
  "$folder/failed" "$folder/diagnostics" "no message" "some other text"
# What was said is shown to whoever has to find out why.
expect 1 "a.cc:1:2" "$folder/failed" "$folder/diagnostics" "some other text"
# A pattern may begin like an option.
expect 1 "did not say: -Wall" "$folder/failed" "$folder/diagnostics" "-Wall"

exit "$failures"
