# Shared by report_table.awk and report_plot.awk: what a CSV of benchmarks/report
# says. Give it first:
#
#   awk -f report_statistics.awk -f report_table.awk results.csv
#
# Columns of the CSV: the system, then those of //benchmarks:workloads.

BEGIN {
  FS = ","
  names["troupe"] = "Troupe"
  names["caf"] = "CAF"
  names["erlang"] = "Erlang"
}

# Remembers `text` as the next of a list, unless it is one already.
function remember(list, count, index_of, text) {
  if (text in index_of) return count
  index_of[text] = 1
  list[count + 1] = text
  return count + 1
}

FNR > 1 {
  side = $4 == "" ? $3 : $3 ", " $4
  place = $2 SUBSEP side
  systems_count = remember(systems, systems_count, is_system, $1)
  places_count = remember(places, places_count, is_place, place)
  row = $1 SUBSEP place SUBSEP $5
  # Sorted as they come: there are few.
  for (i = ++runs[row]; i > 1 && speed[row, i - 1] > $8 / 1e6; --i) {
    speed[row, i] = speed[row, i - 1]
  }
  speed[row, i] = $8 / 1e6
  cell = $1 SUBSEP place
  if ($9 / 1e6 > peak[cell]) peak[cell] = $9 / 1e6
  if ($10 + 0 > bytes[cell]) bytes[cell] = $10
  if ($11 != "" && $11 + 0 >= allocations[cell]) allocations[cell] = $11
}

function minimum(row) { return speed[row, 1] }
function median(row) { return speed[row, int((runs[row] + 1) / 2)] }
function maximum(row) { return speed[row, runs[row]] }

# The highest median of the other systems; 0 if there is none.
function best_peer(place, temperature,    i, row, best) {
  best = 0
  for (i = 1; i <= systems_count; ++i) {
    row = systems[i] SUBSEP place SUBSEP temperature
    if (systems[i] != "troupe" && runs[row] && median(row) > best) {
      best = median(row)
    }
  }
  return best
}

# Of a number of any size, three digits.
function three(number) {
  return sprintf(number < 10 ? "%.2f" : number < 100 ? "%.1f" : "%.0f", number)
}
