#!/bin/bash
# Measures all workloads, and prints what README.md shows of it:
#
#   benchmarks/run.sh [FOLDER]
#
# FOLDER, by default a new one under /tmp, gets results.csv with every run,
# cache_line.txt with the round trips of a cache line before and after each, the
# table as results.md, and with gnuplot installed results.svg.
#
# From the environment: PROCESSES (5) of each workload, REPETITIONS (4) in each,
# QUIET_SECONDS (20) to wait at most, before each, for a machine that has nothing
# else to do.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=${1:-$(mktemp -d)}
readonly processes=${PROCESSES:-5}
readonly repetitions=${REPETITIONS:-4}
readonly quiet_seconds=${QUIET_SECONDS:-20}
readonly csv=$folder/results.csv
readonly program=bazel-bin/benchmarks/workloads

readonly sided=(ping_pong counting fanin fork_join_throughput big)
readonly all=("${sided[@]}" thread_ring fork_join_create idle_memory skynet)

mkdir -p "$folder"
./bazelw build --noshow_progress --config=opt //benchmarks:workloads >&2
cp -f "$program" "$folder/workloads"

# How much of the processors' time was not used in the last half second, in
# percent.
idle_percent() {
  local before after
  before=$(head -1 /proc/stat)
  sleep 0.5
  after=$(head -1 /proc/stat)
  awk -v before="$before" -v after="$after" 'BEGIN {
    split(before, b); n = split(after, a)
    for (i = 2; i <= 9 && i <= n; ++i) all += a[i] - b[i]
    printf "%d\n", all ? 100 * (a[5] - b[5]) / all : 100
  }'
}

busy_starts=0
await_quiet() {
  local i
  for ((i = 0; i < 2 * quiet_seconds; ++i)); do
    (($(idle_percent) < 90)) || return 0
  done
  busy_starts=$((busy_starts + 1))
}

# measure NAME FLAG...: one process.
measure() {
  local name=$1
  shift
  await_quiet
  echo "$name $* (load $(cut -d' ' -f1 /proc/loadavg))" >&2
  "$folder/workloads" --workload="$name" --repetitions="$repetitions" \
    --format=csv "$@" 2>>"$folder/cache_line.txt" >"$folder/one.csv"
  [[ -s $csv ]] || head -1 "$folder/one.csv" >"$csv"
  tail -n +2 "$folder/one.csv" >>"$csv"
}

# Everything in turn, so that a slow minute of the machine hits all alike.
rm -f "$csv" "$folder/cache_line.txt"
for ((round = 0; round < processes; ++round)); do
  for name in "${all[@]}"; do
    measure "$name" --workers=1
    measure "$name" --workers=2
  done
  for name in "${sided[@]}"; do
    measure "$name" --workers=2 --forced
  done
done
rm -f "$folder/one.csv" "$folder/workloads"

environment() {
  echo "- machine: $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)," \
    "$(nproc) processors, Linux $(uname -r | cut -d- -f1)"
  echo "- built by $(g++ --version | head -1)," \
    "\`--config=opt\` ($(sed -n 's/^build:opt --//p' .bazelrc | paste -sd' '))"
  echo "- Abseil $(dpkg-query -W -f '${Version}' libabsl-dev 2>/dev/null || echo 'of the module')," \
    "commit $(git rev-parse --short HEAD)"
  echo "- $processes processes of each workload with $repetitions runs each;" \
    "$busy_starts of them started while the machine was busy"
  # Minimum, median, maximum.
  echo "- cache line to the other processor and back:" \
    "$(grep -oE '[0-9]+ ns' "$folder/cache_line.txt" | sort -n |
      awk '{ v[NR] = $1 } END { print v[1] " / " v[int((NR + 1) / 2)] " / " v[NR] " ns" }')"
}

# Minimum / median / maximum of each workload, the largest peak and the most
# allocations; the rows in the order of the CSV.
table() {
  echo '| workload | workers | | M operations/s | peak MB | bytes/actor | allocations/operation |'
  echo '|---|---|---|---|---|---|---|'
  tail -n +2 "$csv" |
    awk -F, '{ key = $1 "," $2 "," $3 "," $4
               if (!(key in seen)) seen[key] = ++keys
               printf "%03d,%s\n", seen[key], $0 }' |
    sort -t, -k1,1n -k8,8n |
    awk -F, '
      function put() {
        if (!n) return
        middle = int((n + 1) / 2)
        printf "| %s | %.1f / **%.1f** / %.1f | %.1f | %s | %.2g |\n", label, rate[1],
          rate[middle], rate[n], peak / 1e6, bytes, allocations
      }
      $1 != last { put(); n = 0; last = $1; peak = 0; allocations = 0 }
      {
        label = $2 " | " $3 ($4 == "" ? "" : ", " $4) " | " $5
        rate[++n] = $8 / 1e6
        if ($9 > peak) peak = $9
        if ($11 > allocations) allocations = $11
        bytes = $10
      }
      END { put() }'
}

plot() {
  # Warm medians, one row for each workload.
  tail -n +2 "$csv" | awk -F, '$4 == "warm" && $3 == "" { print $1, $2, $7 / 1e6 }' |
    sort -k1,1 -k2,2n -k3,3n |
    awk '
      { key = $1 " " $2; rate[key, ++n[key]] = $3; names[$1] = 1 }
      function median(key) { return rate[key, int((n[key] + 1) / 2)] }
      END { for (name in names) print name, median(name " 1"), median(name " 2") }' |
    sort >"$folder/warm.dat"
  gnuplot <<END
set terminal svg size 900,420 noenhanced
set output "$folder/results.svg"
set style data histogram
set style fill solid
set ylabel "million operations/s, median of warm runs"
set yrange [0:*]
set xtics rotate by -20
plot "$folder/warm.dat" using 2:xtic(1) title "1 worker", "" using 3 title "2 workers"
END
}

{
  environment
  echo
  table
} | tee "$folder/results.md"
if command -v gnuplot >/dev/null; then plot; fi
echo "All runs: $folder" >&2
