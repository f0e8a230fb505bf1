#!/bin/bash
# Checks that every C++ snippet of the pages is a part of a source file, so that
# it is compiled.
#
#   docs/check_snippets.sh PAGE...
#
# A snippet is a block between ```cpp and ```. The paragraph above it links to
# the file that it comes from; of several links to .cc and .h files the last one
# counts. The snippet must stand there word for word. It may be indented less, and
# a line `// ...` in it stands for any number of lines.
#
# Paths are relative to the current folder. Prints what is wrong as PAGE:LINE and
# exits 1 if there is anything.
set -euo pipefail

if (($# == 0)); then
  echo "No page to check." >&2
  exit 1
fi

for page in "$@"; do
  if [[ ! -r $page ]]; then
    echo "$page: no such page" >&2
    exit 1
  fi
done

exec awk '
function report(file, line, text) {
  print file ":" line ": " text
  failures = 1
}

function is_blank(text) { return text ~ /^[ \t]*$/ }
function is_elision(text) { return text ~ /^ *\/\/ \.\.\.$/ }
function indentation(text) { match(text, /^ */); return RLENGTH }

# The target of the last link to a source file in `text`, or nothing.
function last_source(text,   found) {
  found = ""
  while (match(text, /\]\([^()# ]*\.(cc|h)(#[^()]*)?\)/)) {
    found = substr(text, RSTART + 2, RLENGTH - 3)
    sub(/#.*/, "", found)
    text = substr(text, RSTART + RLENGTH)
  }
  return found
}

# Reads `path` into source[1..n] and returns n, or -1 if it cannot be read.
function read_source(path,   n, status) {
  n = 0
  while ((status = (getline source[n + 1] < path)) > 0) ++n
  close(path)
  return status < 0 ? -1 : n
}

# Whether lines first..last of the snippet stand in source[at..n], indented by
# `margin` more. Remembers in `missing` the line that no attempt got past.
function piece_is_at(first, last, at, n, margin,   i, line) {
  for (i = first; i <= last; ++i) {
    line = is_blank(snippet[i]) ? "" : margin snippet[i]
    if (at + i - first > n || source[at + i - first] != line) {
      if (i > missing) missing = i
      return 0
    }
  }
  return 1
}

# Whether the pieces of the snippet stand in source[1..n] in their order. Taking
# the earliest place for each leaves the most room for those behind it.
function is_part_of_source(n, margin,   first, last, at) {
  at = 1
  for (first = 1; first <= snippet_lines; first = last + 2) {
    last = first - 1
    while (last < snippet_lines && !is_elision(snippet[last + 1])) ++last
    while (at <= n && !piece_is_at(first, last, at, n, margin)) ++at
    if (at > n && first <= last) return 0
    at += last - first + 1
  }
  return 1
}

# Removes the indentation that all lines share. Returns whether there is text.
function dedent(   i, least) {
  least = -1
  for (i = 1; i <= snippet_lines; ++i) {
    if (is_blank(snippet[i]) || is_elision(snippet[i])) continue
    if (least < 0 || indentation(snippet[i]) < least) {
      least = indentation(snippet[i])
    }
  }
  for (i = 1; i <= snippet_lines; ++i) {
    if (!is_elision(snippet[i])) snippet[i] = substr(snippet[i], least + 1)
  }
  return least >= 0
}

function check_snippet(   n, path, margin) {
  if (!dedent()) return report(FILENAME, began, "the snippet is empty")
  if (named == "") {
    return report(FILENAME, began, "the paragraph above the snippet names no " \
        "source; link to the .cc or .h file that it comes from")
  }
  path = FILENAME
  sub(/[^\/]*$/, "", path)
  path = path named
  n = read_source(path)
  if (n < 0) {
    return report(FILENAME, began, "cannot read " path "; if it exists, add " \
        "it to the data of the test")
  }
  missing = 1
  for (margin = ""; length(margin) <= 40; margin = margin " ") {
    if (is_part_of_source(n, margin)) return
  }
  report(FILENAME, began + missing, "not so in " path ": " snippet[missing])
}

function end_page() {
  if (inside) report(page, began, "the block is not closed")
  inside = 0
  paragraph = ""
}

FNR == 1 { end_page(); page = FILENAME }

!inside && /^ *```/ {
  inside = 1
  began = FNR
  language = $0
  sub(/^ *```+ */, "", language)
  sub(/[^A-Za-z+].*/, "", language)
  if (language != "cpp" && tolower(language) ~ /^(c|cc|cpp|cxx|c\+\+|h|hpp)$/) {
    report(FILENAME, FNR, "a block of " language " is not checked; call it cpp")
  }
  named = last_source(paragraph)
  snippet_lines = 0
  next
}
inside && /^ *```$/ {
  inside = 0
  paragraph = ""
  if (language == "cpp") { ++snippets; check_snippet() }
  next
}
inside { snippet[++snippet_lines] = $0; next }

is_blank($0) { after_blank = 1; next }
{
  paragraph = (after_blank ? "" : paragraph " ") $0
  after_blank = 0
}

END {
  end_page()
  if (!failures) print snippets + 0 " snippets are parts of their sources"
  exit failures
}
' "$@"
