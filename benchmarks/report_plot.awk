# Draws a CSV of benchmarks/report as SVG: for each workload and number of
# workers a bar per system, as long as the logarithm of its median warm speed;
# see report_statistics.awk. idle_memory and forced runs are left out: one is
# about memory, the others have no peers.

function x_of(panel, rate) {
  if (rate < LOWEST) rate = LOWEST
  return LEFT + panel * (WIDTH + GAP) + WIDTH * log(rate / LOWEST) / log(HIGHEST / LOWEST)
}

function text(x, y, anchor, size, colour, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" fill=\"%s\">%s</text>\n",
    x, y, anchor, size, colour, words
}

function bar(panel, y, who, rate,    from, to) {
  from = x_of(panel, LOWEST)
  to = x_of(panel, rate)
  printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
    from, y, to - from, BAR, colours[who]
  text(to + 4, y + BAR - 2, "start", 10, "#333", three(rate))
}

END {
  LOWEST = 0.1; HIGHEST = 300
  LEFT = 150; WIDTH = 320; GAP = 50; TOP = 74; BAR = 11; SPACE = 9
  colours["troupe"] = "#1f5fa8"; colours["caf"] = "#c9a227"; colours["erlang"] = "#a8506b"

  for (p = 1; p <= places_count; ++p) {
    split(places[p], parts, SUBSEP)
    if (parts[1] == "idle_memory" || parts[2] !~ /^[0-9]+$/) continue
    workloads_count = remember(workloads, workloads_count, is_workload, parts[1])
    panels_count = remember(panels, panels_count, is_panel, parts[2])
  }
  step = systems_count * BAR + SPACE
  bottom = TOP + workloads_count * step
  right = LEFT + panels_count * (WIDTH + GAP)

  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n",
    right, bottom + 24, right, bottom + 24
  print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
  text(10, 20, "start", 13, "#000", "Million operations per second, median of warm runs; logarithmic")
  for (i = 1; i <= systems_count; ++i) {
    printf "<rect x=\"%d\" y=\"32\" width=\"11\" height=\"11\" fill=\"%s\"/>\n", 10 + 75 * (i - 1), colours[systems[i]]
    text(25 + 75 * (i - 1), 42, "start", 12, "#000", names[systems[i]])
  }
  for (p = 0; p < panels_count; ++p) {
    text(x_of(p, LOWEST), TOP - 10, "start", 12, "#000",
         panels[p + 1] (panels[p + 1] == 1 ? " worker" : " workers"))
    for (tick = LOWEST; tick < HIGHEST; tick *= 10) {
      printf "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n",
        x_of(p, tick), TOP - 2, x_of(p, tick), bottom
      text(x_of(p, tick), bottom + 14, "middle", 10, "#555", tick)
    }
  }
  for (w = 1; w <= workloads_count; ++w) {
    y = TOP + (w - 1) * step
    text(LEFT - 8, y + step / 2, "end", 12, "#000", workloads[w])
    for (p = 1; p <= panels_count; ++p) {
      for (i = 1; i <= systems_count; ++i) {
        row = systems[i] SUBSEP workloads[w] SUBSEP panels[p] SUBSEP "warm"
        if (runs[row]) bar(p - 1, y + (i - 1) * BAR, systems[i], median(row))
      }
    }
  }
  print "</svg>"
}
