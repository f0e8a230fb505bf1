#!/bin/bash
# Three processes chat, over TLS and with a cookie; one is killed, and missed by the others, who go
# on.
#
#   chat_test.sh CHAT CERTIFICATES
set -euo pipefail
readonly chat=$1 certificates=$2

folder=$(mktemp -d /tmp/troupe.XXXXXX)
readonly folder
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

"$certificates" --folder="$folder/tls" --nodes=ann,bob,cat
if [[ -n $(find "$folder/tls" -perm /077) ]]; then
  echo "Others may read keys:"
  ls -la "$folder/tls"
  exit 1
fi
(umask 077 && head -c 32 /dev/urandom | base64 >"$folder/cookie")
members=
for name in ann bob cat; do
  members+="${members:+,}$name=unix:$folder/$name.socket"
done

# start NAME: a process that reads what is written to the pipe NAME.in.
declare -A pid
start() {
  mkfifo "$folder/$1.in"
  "$chat" --name="$1" --members="$members" --tls="$folder/tls" \
    --cookie="$folder/cookie" \
    <"$folder/$1.in" >"$folder/$1.out" 2>"$folder/$1.err" &
  pid[$1]=$!
}

# await NAME LINE: until it has printed that.
await() {
  if ! timeout 50 grep -qxF -m 1 -- "$2" \
    <(tail -n +1 -F --pid="$$" "$folder/$1.out" 2>/dev/null); then
    echo "$1 has not printed '$2'. What all have printed:"
    tail -n +1 "$folder"/*.out "$folder"/*.err
    exit 1
  fi
}

for name in ann bob cat; do start "$name"; done
exec 3>"$folder/ann.in" 4>"$folder/bob.in" 5>"$folder/cat.in"
for name in ann bob cat; do
  for other in ann bob cat; do
    [[ $name == "$other" ]] || await "$name" "* $other is here"
  done
done

# A guest is known a moment after its node: who says hello again is heard.
greet() {
  local from=$1 to=$2 pipe=$3 n
  for n in {1..1000}; do
    echo "hello $n" >&"$pipe"
    grep -qF -- "<$from> hello " "$folder/$to.out" && return
    await "$from" "<$from> hello $n"
  done
  await "$to" "<$from> hello $n"
}
greet ann bob 3
greet ann cat 3
greet cat ann 5
greet bob ann 4

kill -KILL "${pid[cat]}"
await ann '* cat has gone'
await bob '* cat has gone'
echo 'are you there?' >&3
await bob '<ann> are you there?'

# The end of the input is a leave.
exec 3>&-
wait "${pid[ann]}"
await bob '* ann has gone'
exec 4>&-
wait "${pid[bob]}"
for name in ann bob; do
  echo "---- $name"
  grep -vF 'hello' "$folder/$name.out"
done
