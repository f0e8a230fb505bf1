#!/bin/bash
# Tests the tool: which names it takes, and what it then writes.
set -uo pipefail

readonly tool=$PWD/$1
cd "$TEST_TMPDIR" || exit 1
failures=0

# expect STATUS TEXT NODES [FLAG]: how it ends, and what it says, with those
# nodes.
expect() {
  local output status=0
  rm -rf made
  output=$("$tool" --folder=made --nodes="$3" "${@:4}" 2>&1) || status=$?
  if [[ $status != "$1" || $output != *"$2"* ]]; then
    echo "With '${*:3}' it says: $output ($status), not: $2 ($1)"
    failures=1
  fi
}

expect 0 "Each node has" a,b
for file in authorities.pem a.pem a.key b.pem b.key; do
  [[ -s made/$file ]] || { echo "There is no $file"; failures=1; }
done
expect 0 "Each node has" "$(printf 'n%.0s' {1..200})"
expect 0 "Each node has" "$(printf 'n%.0s' {1..251})"
expect 2 "251 characters" "$(printf 'n%.0s' {1..252})"
expect 2 "no node can be called authorities" a,authorities
expect 2 "letters, digits" a,../b
expect 2 "1 to 255 characters" a,,b
expect 2 "choose up to ten years" a --valid_for=inf
expect 2 "choose up to ten years" a --valid_for=87601h
expect 2 "choose up to ten years" a --valid_for=0
if [[ -e made ]]; then
  echo "It writes though what it is told is refused"
  failures=1
fi
exit "$failures"
