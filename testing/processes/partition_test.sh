#!/bin/bash
# Two nodes on two hosts, over TLS: each has a network of its own, and a cable
# joins these. What comes from one of them is lost, then what comes from either,
# without a word to anybody; both find the other gone, and meet again when it is
# healed.
#
#   partition_test.sh NODE_UNDER_TEST CERTIFICATES
#
# Needs namespaces of users and networks. Where these are not permitted, it says
# so and passes.
set -euo pipefail

readonly node=$1 certificates=$2
if [[ ${3:-} != inside ]]; then
  if ! unshare --user --map-root-user --net "$BASH" -c '
    ip link add to_a type veth peer name to_b &&
      ip rule add pref 50 from 10.9.0.1 blackhole'; then
    echo 'SKIPPED: networks cannot be made here, as is said above'
    exit 0
  fi
  exec unshare --user --map-root-user --net "$BASH" "$0" "$@" inside
fi

folder=$(mktemp -d /tmp/troupe.XXXXXX)
readonly folder
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
"$certificates" --folder="$folder/tls" --nodes=a,b

# A pipe that nobody writes to: `pause` is a moment.
mkfifo "$folder/silence"
exec 9<>"$folder/silence"
pause() { read -rt 0.05 -u 9 || true; }

# on HOST COMMAND...: in the network of that host, which lasts as long as a
# process in it.
declare -A host pid
on() { nsenter --net="/proc/${host[$1]}/ns/net" "${@:2}"; }
add_host() {
  unshare --net cat <"$folder/silence" &
  host[$1]=$!
  until [[ $(readlink "/proc/${host[$1]}/ns/net") != $(readlink /proc/self/ns/net) ]]; do
    pause
  done
  ip link set "to_$1" netns "${host[$1]}"
  on "$1" ip link set lo up
  on "$1" ip address add "$2/24" dev "to_$1"
  on "$1" ip link set "to_$1" up
  # What is for this host itself is looked up behind what is lost.
  on "$1" ip rule add pref 100 lookup local
  on "$1" ip rule del pref 0
}
ip link add to_a type veth peer name to_b
add_host a 10.9.0.1
add_host b 10.9.0.2

# lose HOST FROM, heal HOST FROM: what comes to a host.
lose() { on "$1" ip rule add pref 50 from "$2" blackhole; }
heal() { on "$1" ip rule del pref 50 from "$2" blackhole; }

# await NAME LINE N: until that node has printed N lines that begin so. Into a
# pipe: grep that writes to /dev/null is content with one.
await() {
  if ! timeout 100 grep -m "$3" -- "^$2" \
    <(tail -n +1 -F --pid="$$" "$folder/$1.out" 2>/dev/null) | cat >/dev/null; then
    echo "$1 has not printed '$2' $3 times. What both have printed:"
    tail -n +1 "$folder"/*.out "$folder"/*.err
    exit 1
  fi
}
count() { grep -c "^$2" "$folder/$1.out" || true; }

for name in a b; do
  mkfifo "$folder/$name.in"
  on "$name" "$node" --name="$name" --tls="$folder/tls" \
    --members=a=10.9.0.1:4000,b=10.9.0.2:4000 \
    --heartbeat=500ms --silence=2s \
    <"$folder/$name.in" >"$folder/$name.out" 2>"$folder/$name.err" &
  pid[$name]=$!
done
exec 3>"$folder/a.in" 4>"$folder/b.in"
await a 'up b' 1
await b 'up a' 1

# part HOST FROM [HOST FROM]
part() {
  local of_a of_b
  of_a=$(count a 'down b')
  of_b=$(count b 'down a')
  lose "$1" "$2"
  (($# == 2)) || lose "$3" "$4"
  await a 'down b' $((of_a + 1))
  await b 'down a' $((of_b + 1))
  of_a=$(count a 'up b')
  of_b=$(count b 'up a')
  heal "$1" "$2"
  (($# == 2)) || heal "$3" "$4"
  await a 'up b' $((of_a + 1))
  await b 'up a' $((of_b + 1))
}
part b 10.9.0.1
part a 10.9.0.2
part a 10.9.0.2 b 10.9.0.1

# They have found each other, and what is sent arrives.
for n in {1..1000}; do
  echo 'aim b' >&3
  await a 'aimed b' "$n"
  grep -q '^aimed b [0-9]' "$folder/a.out" && break
done
echo 'flood b 100 100' >&3
await a 'sent b' 1
for n in {1..1000}; do
  echo 'account b' >&3
  await a 'account b' "$n"
  grep -q '^account b [0-9]* 100 0 0 0 0 100$' "$folder/a.out" && break
done
grep '^account b [0-9]* 100 0 0 0 0 100$' "$folder/a.out"
exec 3>&- 4>&-
for name in a b; do
  wait "${pid[$name]}"
  echo "---- $name"
  cat "$folder/$name.out"
done
