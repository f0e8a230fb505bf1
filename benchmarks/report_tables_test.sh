#!/bin/bash
# The tables and the plot that benchmarks/report makes of what it measured:
# report_tables_test.sh TABLE_PROGRAM; the others lie beside it.
set -uo pipefail
export LC_ALL=C

folder=$(dirname "$1")
readonly folder
readonly csv=$folder/testdata/report.csv
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
  [[ $2 == "$3" ]] && return
  printf '%s:\n%s\ninstead of:\n%s\n\n' "$1" "$2" "$3"
  failures=1
}

# made_of SCRIPT <CSV
made_of() {
  awk -f "$folder/report_statistics.awk" -f "$folder/$1"
}

expect 'tables' "$(made_of report_table.awk <"$csv")" \
  "$(cat "$folder/testdata/report.md")"
expect 'tables without peers' \
  "$(grep -E '^system|^troupe' "$csv" | made_of report_table.awk | sed -n '3,5p')" \
  '| workload | workers | | Troupe |
|---|---|---|---|
| ping_pong | 1 | cold | 25.0 / **40.0** / 50.0 |'

plot=$(made_of report_plot.awk <"$csv")
expect 'tags of the plot' "$(grep -cE '^<svg .*>$|^</svg>$' <<<"$plot")" 2
expect 'lines of the plot that are no element' \
  "$(grep -vE '^<(svg|/svg)|^<[a-z]+ [^<>]*/>$|^<text [^<>]*>[^<>]*</text>$' <<<"$plot")" ''

# Four bars: three systems with one worker, one with two.
bars=$(grep -E '<rect .* height="11" ' <<<"$plot" | grep -v 'y="32"')
expect 'bars' "$(grep -oE 'fill="[^"]*"' <<<"$bars" | sort | uniq -c | tr -s ' ')" \
  ' 2 fill="#1f5fa8"
 1 fill="#a8506b"
 1 fill="#c9a227"'
# What a bar says is the median; 100 is a thousand times the left end, which is
# log 1000 / log 3000 of the width.
expect 'figures' "$(grep -oE 'fill="#333">[^<]*' <<<"$plot" | cut -d'>' -f2 | tr '\n' ' ')" \
  '100 6.00 2.50 80.0 '
expect 'width of the bar of 100' "$(grep -oE 'width="[0-9.]+"' <<<"$bars" | head -1)" \
  'width="276.1"'
expect 'workloads with bars' "$(grep -oE '>(ping_pong|idle_memory|big)<' <<<"$plot")" \
  '>ping_pong<'
expect 'panels' "$(grep -oE '[0-9] workers?' <<<"$plot" | tr '\n' ',')" \
  '1 worker,2 workers,'

exit "$failures"
