# Prints the tables of a CSV of benchmarks/report as Markdown; see
# report_statistics.awk.

# A cell of the header for each system.
function heads(    i, text) {
  for (i = 1; i <= systems_count; ++i) text = text " " names[systems[i]] " |"
  return text
}

function rules(count,    text) {
  while (count-- > 0) text = text "---|"
  return text
}

function label(place,    parts) {
  split(place, parts, SUBSEP)
  return "| " parts[1] " | " parts[2] " |"
}

function speeds(place, temperature,    i, row, text, ours, best) {
  for (i = 1; i <= systems_count; ++i) {
    row = systems[i] SUBSEP place SUBSEP temperature
    if (runs[row]) {
      text = text sprintf(" %s / **%s** / %s |", three(minimum(row)),
                          three(median(row)), three(maximum(row)))
    } else {
      text = text "  |"
    }
  }
  if (systems_count < 2) return text
  ours = "troupe" SUBSEP place SUBSEP temperature
  best = best_peer(place, temperature)
  return text (best && runs[ours] ? " " three(median(ours) / best) " |" : "  |")
}

function memory(place,    i, cell, text) {
  for (i = 1; i <= systems_count; ++i) {
    cell = systems[i] SUBSEP place
    text = text (cell in peak ? sprintf(" %.0f", peak[cell]) : " ")
    if (bytes[cell]) text = text sprintf(" (%.0f B/actor)", bytes[cell])
    text = text " |"
  }
  cell = "troupe" SUBSEP place
  return text " " (cell in allocations ? sprintf("%.1g", allocations[cell]) : "") " |"
}

END {
  print "Million operations per second, minimum / **median** / maximum:\n"
  print "| workload | workers | |" heads() (systems_count > 1 ? " times the best peer |" : "")
  print "|" rules(3 + systems_count + (systems_count > 1))
  for (p = 1; p <= places_count; ++p) {
    print label(places[p]) " cold |" speeds(places[p], "cold")
    print label(places[p]) " warm |" speeds(places[p], "warm")
  }
  print "\nThe largest peak of resident memory in MB, and the most allocations of Troupe per\noperation:\n"
  print "| workload | workers |" heads() " allocations |"
  print "|" rules(3 + systems_count)
  for (p = 1; p <= places_count; ++p) print label(places[p]) memory(places[p])
}
