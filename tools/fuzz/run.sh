#!/bin/bash
# Lets libFuzzer look for inputs that break fuzz tests.
#
#   tools/fuzz/run.sh [--seconds=N] [--keep] [TARGET...] [-- FLAG...]
#
# Each TARGET, or each test with the tag "fuzz", runs for N seconds (60), from the
# corpus that is checked in; as many run at a time as there are processors. An
# input that breaks one is named, and the exit code is 1: copy the file into the
# corpus, under a name that says what is wrong, so that every test run replays it
# from then on. With --keep, what reached new code is added to the corpus, which is
# reduced to what is needed; inputs that somebody has named stay. Each FLAG is one
# of `bazel build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly quiet=(--noshow_progress --noshow_loading_progress --color=no)
readonly max_bytes=4096 max_files=50

seconds=60 keep=
targets=()
while (($# > 0)); do
  case $1 in
    --seconds=*) seconds=${1#*=} ;;
    --keep) keep=1 ;;
    //*) targets+=("$1") ;;
    --)
      shift
      break
      ;;
    *)
      echo "Not understood: $1" >&2
      exit 2
      ;;
  esac
  shift
done
readonly flags=("$@")
if ((${#targets[@]} == 0)); then
  mapfile -t targets < <(./bazelw query "${quiet[@]}" \
    'attr(tags, "\bfuzz\b", //...) except attr(tags, "\bmanual\b", //...)')
fi

found=$(mktemp -d)
readonly found
# The linker has a hundred warnings about the sanitizer's own symbols.
./bazelw build "${quiet[@]}" "${flags[@]}" --config=fuzz "${targets[@]}" 2>"$found/build.log" || {
  cat "$found/build.log" >&2
  exit 1
}

# Another build may have the link lead elsewhere before all has run.
bin=$(readlink -f bazel-bin)
readonly bin

# corpus TARGET: its folder.
corpus() {
  local file
  file=$(./bazelw query "${quiet[@]}" "labels(data, $1)" | head -n 1)
  file=${file#//}
  dirname "${file/://}"
}

# reduce BINARY CORPUS NEW: replaces the corpus by few inputs of both that together
# reach the most.
reduce() {
  local binary=$1 corpus=$2 new=$3 reduced room
  # libFuzzer calls its inputs by their digests.
  local -r unnamed='.*/[0-9a-f]{40}'
  reduced=$(mktemp -d)
  find "$corpus" -regextype egrep -type f -not -regex "$unnamed" \
    -exec cp -t "$reduced" {} +
  room=$((max_files - $(find "$reduced" -type f | wc -l)))
  # Whether an edge is passed, not how often: few inputs say most of it. They are
  # written one after the other, that which adds most first.
  "$binary" -set_cover_merge=1 -use_counters=0 -max_len="$max_bytes" \
    "$reduced" "$corpus" "$new" >"$new.merge.log" 2>&1
  find "$corpus" -regextype egrep -type f -regex "$unnamed" -delete
  find "$reduced" -regextype egrep -type f -regex "$unnamed" \
    -printf '%T@ %p\n' | sort -n | sed -n "1,${room}s/^[^ ]* //p" |
    xargs -r cp -t "$corpus"
  rm -rf "$reduced"
  echo "$corpus: $(find "$corpus" -type f | wc -l) inputs"
}

# run TARGET: what has come of it, to the output, and its exit code.
run() {
  local target=$1 name=${1#//} binary inputs new log runs code=0
  binary=$bin/${name/://}
  inputs=$(corpus "$target")
  new=$found/${name##*[:/]}
  mkdir "$new"
  log=$new.log
  "$binary" -max_total_time="$seconds" -max_len="$max_bytes" -timeout=10 \
    -print_final_stats=1 -artifact_prefix="$new." "$new" "$inputs" \
    >"$log" 2>&1 </dev/null || code=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if ((code == 0)); then
    echo "$target PASSED: ${runs:-no} runs in $seconds s," \
      "$(find "$new" -type f | wc -l) new inputs"
  else
    echo "$target FAILED: see $log; the input:"
    find "$found" -maxdepth 1 -name "$(basename "$new").*-*"
    tail -n 80 "$log"
  fi
  if [[ -n $keep ]]; then reduce "$binary" "$inputs" "$new"; fi
  return "$code"
}

# As many at a time as there are processors.
failed=0
running=0
for target in "${targets[@]}"; do
  if ((running == $(nproc))); then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run "$target" &
  running=$((running + 1))
done
for ((; running > 0; --running)); do wait -n || failed=1; done
if ((failed == 0)); then rm -rf "$found"; fi
exit "$failed"
