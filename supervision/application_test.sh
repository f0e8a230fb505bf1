#!/bin/bash
# How programs made with RunApplication() end: by signals, and on their own.
set -euo pipefail
readonly program=$1

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

# Runs the program in a mode, has "$@" deal with it once it is up, and checks
# its exit code, and that it prints and logs what it should.
check() {
  local mode=$1 expected_code=$2 expected_text=$3
  shift 3
  local log="$TEST_TMPDIR/$mode.log" code=0
  coproc app { exec "$program" "$mode" 2>"$log"; }
  local pid=$app_PID out=${app[0]} line printed=""
  exec {copy}<&"$out"
  if (($# > 0)); then
    read -r line <&"$copy" || fail "$mode: it is not up: $(cat "$log")"
    printed="$line"
  fi
  for action in "$@"; do
    kill "-$action" "$pid"
    # What it says shows that it has seen the signal, if another one follows.
    if (($# > 1)) && [[ $printed != *stopping* ]]; then
      read -r line <&"$copy"
      printed+=$'\n'"$line"
    fi
  done
  printed+=$'\n'"$(cat <&"$copy")"
  exec {copy}<&-
  wait "$pid" || code=$?
  [[ $code == "$expected_code" ]] ||
    fail "$mode: exit code $code, not $expected_code: $printed $(cat "$log")"
  [[ "$printed $(cat "$log")" == *"$expected_text"* ]] ||
    fail "$mode: no '$expected_text' in: $printed $(cat "$log")"
}

check stopping 0 "stopping: shutdown" TERM
check stopping 0 "stopping: shutdown" INT
check done 0 "stopping: normal"
check failing 1 "torn"
check unable 1 "no disk"
# The second signal kills what does not stop.
check stubborn 1 "did not stop in time" TERM TERM
# So may who shuts the system down.
check shut 1 "'test': killed"
# So does the end of its time, even if a handler never returns.
check stuck 1 "does not end" TERM
echo PASS
