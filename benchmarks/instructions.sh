#!/bin/bash
# Counts the instructions that an operation of each workload costs, and compares
# them with the figures that are checked in:
#
#   ./bazelw test --config=opt --test_output=all //benchmarks:instructions
#
# By hand, also to write the figures down anew:
#
#   benchmarks/instructions.sh PROBE FIGURES [--update]
#
# PROBE is the built //benchmarks:instructions_probe, FIGURES is instructions.txt.
# Exits 1 if a figure is off by more than 3 %, also if it has become better: what
# was gained is to be kept.
#
# A figure is the difference of two runs that differ in their number of
# operations, so that starting and ending do not count. Only the thread that runs
# the actors counts: what others do depends on the time that passes.
set -euo pipefail
shopt -s inherit_errexit  # A measurement that fails is none.
export LC_ALL=C

readonly probe=$1
readonly figures=$2
readonly update=${3:-}
readonly tolerance_percent=3
# Of the usual number of operations.
readonly few=0.01 many=0.1

out=$(mktemp -d)
readonly out
trap 'rm -rf "$out"' EXIT

if ! command -v valgrind >/dev/null; then
  echo "valgrind is missing: install the package valgrind" >&2
  exit 1
fi

# run WORKLOAD SCALE: prints the operations and the instructions of the worker.
run() {
  local operations
  rm -f "$out"/callgrind*
  if ! operations=$(valgrind --tool=callgrind --separate-threads=yes \
    --callgrind-out-file="$out/callgrind" "$probe" "$1" "$2" 2>"$out/log"); then
    cat "$out/log" >&2
    return 1
  fi
  # Thread 1 is the main one. Of the others the worker does most by far.
  awk -v operations="$operations" '
    /^thread: / { thread = $2 }
    /^totals: / && thread > 1 && $2 > most { most = $2 }
    END {
      if (!most) exit 1
      print operations, most
    }' "$out"/callgrind*
}

# measure WORKLOAD: prints instructions per operation.
measure() {
  local before after
  before=$(run "$1" "$few")
  after=$(run "$1" "$many")
  awk -v before="$before" -v after="$after" 'BEGIN {
    split(before, a); split(after, b)
    printf "%.1f\n", (b[2] - a[2]) / (b[1] - a[1])
  }'
}

failed=0
printf '%-22s %9s %9s %8s  %7s\n' workload measured figure change aim
while read -r workload figure aim; do
  if [[ -z $workload || $workload == \#* ]]; then
    printf '%s\n' "$workload${figure:+ $figure}${aim:+ $aim}" >>"$out/figures"
    continue
  fi
  measured=$(measure "$workload")
  printf '%-22s %9s %5s\n' "$workload" "$measured" "$aim" >>"$out/figures"
  change=$(awk -v m="$measured" -v f="$figure" 'BEGIN {
    printf "%+.1f\n", 100 * (m - f) / f
  }')
  verdict=
  if awk -v c="$change" -v t="$tolerance_percent" \
    'BEGIN { exit !(c > t || c < -t) }'; then
    verdict='<-- not the figure'
    failed=1
  fi
  printf '%-22s %9s %9s %7s%%  %7s %s\n' \
    "$workload" "$measured" "$figure" "$change" "$aim" "$verdict"
done <"$figures"

if [[ $update == --update ]]; then
  cp "$out/figures" "$figures"
  exit 0
fi
if ((failed)); then
  echo "Explain the change in the commit, and write the figure to $figures."
fi
exit "$failed"
