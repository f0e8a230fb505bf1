#!/bin/bash
# Three processes count words, over TLS. One is killed while it has a piece of the
# text; the counts are right all the same.
#
#   three_nodes.sh CLUSTER_WORD_COUNT CERTIFICATES WORD_COUNT
#
# Nothing here waits for time to pass. The boss reads a pipe, so how far the count
# can get is decided here; and the node is stopped before it is killed, so that it
# has a piece then, and cannot have counted it.
set -euo pipefail
readonly cluster_word_count=$1 certificates=$2 word_count=$3

folder=$(mktemp -d /tmp/troupe.XXXXXX)
readonly folder
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

# fail WHAT: with what all have printed.
fail() {
  echo "$1. What all have printed:"
  tail -n +1 "$folder"/*.out "$folder"/*.err
  exit 1
}

# await LINE: until the boss has printed a line that matches.
await() {
  timeout 50 grep -qxE -m 1 -- "$1" \
    <(tail -n +1 -F --pid="$$" "$folder/boss.out" 2>/dev/null) ||
    fail "the boss has not printed '$1'"
}

# printed LINE: how many lines of the boss match.
printed() {
  grep -cxE -- "$1" "$folder/boss.out" || true
}

# 24 pieces of 4 kB: lines of 64 bytes, so that no word is cut between them.
readonly piece_bytes=4096 half=12 all=24
for i in {1..200}; do
  printf '%-63s\n' "Line $i of $((i % 7)): each WORD of every piece counts, but once"
  printf '%-63s\n' "and word$(printf '%*s' $((i % 5)) '' | tr ' ' x)s of all kinds, too"
done >"$folder/lines"
cat "$folder"/lines{,,,} | head -c $((all * piece_bytes)) >"$folder/text"

"$certificates" --folder="$folder/tls" --nodes=boss,ann,bob
members=
for name in boss ann bob; do
  members+="${members:+,}$name=unix:$folder/$name.socket"
done

# start NAME [FLAG...]: a process that reads what is written to the pipe NAME.in.
declare -A pid
start() {
  local name=$1
  shift
  mkfifo "$folder/$name.in"
  "$cluster_word_count" --name="$name" --members="$members" \
    --tls="$folder/tls" "$@" \
    <"$folder/$name.in" >"$folder/$name.out" 2>"$folder/$name.err" &
  pid[$name]=$!
}
start ann
start bob
# However long a node is stopped here, only its end is to be noticed.
start boss --piece_bytes="$piece_bytes" --silence=1h --top=20
exec 3>"$folder/ann.in" 4>"$folder/bob.in" 5>"$folder/boss.in"
await 'ann counts'
await 'bob counts'

head -c $((half * piece_bytes)) "$folder/text" >&5
for ((piece = 1; piece <= half; ++piece)); do
  await "piece $piece <- (ann|bob)"
done

# Both are free now, so each gets one of the next two pieces.
kill -STOP "${pid[bob]}"
until ! grep -qvE '^[0-9]+ \(.*\) T ' /proc/"${pid[bob]}"/task/*/stat; do :; done
tail -c +$((half * piece_bytes + 1)) "$folder/text" >&5
exec 5>&-
await "piece ($((half + 1))|$((half + 2))) -> bob"
held=$(tail -n +1 "$folder/boss.out" | grep -xE 'piece [0-9]+ -> bob' |
  tail -n 1 | grep -oE '[0-9]+')
readonly held
for ((piece = half + 1; piece <= all; ++piece)); do
  ((piece == held)) || await "piece $piece <- ann"
done

# All but that one is counted.
kill -KILL "${pid[bob]}"
await "bob is lost with piece $held: .*"
wait "${pid[boss]}" || fail 'the boss has failed'
exec 3>&-
wait "${pid[ann]}" || fail 'ann has failed'

# What was given to whom, and counted.
for ((piece = 1; piece <= all; ++piece)); do
  (($(printed "piece $piece <- .*") == 1)) || fail "piece $piece counts not once"
  (($(printed "piece $piece -> .*") == (piece == held ? 2 : 1))) ||
    fail "piece $piece was given away more or less often than it had to be"
done
(($(printed 'piece [0-9]+ <- bob') > 0)) || fail 'bob has counted nothing'

# counts: the table and the totals, without time and workers.
counts() {
  grep -E '^ *[0-9]+  [a-z]+$|^[0-9]+ words ' | sed -E 's/ in 1 input: .*//'
}
"$word_count" --top=20 "$folder/text" | counts >"$folder/expected"
counts <"$folder/boss.out" | diff "$folder/expected" - ||
  fail 'the counts are wrong'

echo '---- boss'
cat "$folder/boss.out"
