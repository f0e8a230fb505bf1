#!/bin/bash
# Tests replay_main.cc: it runs each file, and a corpus that is none is an error.
#
#   replay_main_test.sh PROBE
set -uo pipefail

readonly probe=$PWD/$1
cd "$TEST_TMPDIR" || exit 1
failures=0

# ends CODE TEXT FILE...: the probe ends so on these files, and says TEXT.
ends() {
  local wanted=$1 text=$2 code=0 said
  shift 2
  said=$("$probe" "$@" 2>&1) || code=$?
  # By a signal.
  if ((code > 128)); then code=crash; fi
  if [[ $code != "$wanted" ]]; then
    echo "Ended with $code and not with $wanted: $*: $said"
    failures=1
  elif [[ $said != *"$text"* ]]; then
    echo "Did not say '$text': $*: $said"
    failures=1
  fi
}

printf 'one' >one
printf 'two' >two
printf 'refused' >refused
printf 'expectation' >expectation
head -c 4096 /dev/zero >largest
head -c 4097 /dev/zero >too_large
mapfile -t many < <(seq -f one%g 51)
for file in "${many[@]}"; do cp one "$file"; done

ends 0 $'<>\none\n<one>\ntwo\n<two>\n2 inputs' one two
ends 0 '1 inputs' largest
ends 0 '50 inputs' "${many[@]:1}"
ends 1 'not 0'
ends 1 'not 51' "${many[@]}"
ends 1 'missing: cannot be read' one missing
ends 1 'too_large: has 4097 bytes' too_large
ends 1 '<two>' refused two
ends crash 'expectation' expectation

exit "$failures"
