#!/bin/bash
# Checks the rules of this repository that no compiler knows.
#
#   tools/tidy.sh [FILE...]
#
# FILEs are relative to the current folder; without any, all that git tracks.
# Prints the offending lines and exits 1 if there are any.
set -uo pipefail

if (($#)); then
  files=("$@")
else
  # But for the inputs of fuzz tests, which may be anything.
  mapfile -t files < <(git ls-files | grep -v '/corpus/')
fi
failures=0

report() {
  printf '%s\n%s\n\n' "$1" "$2"
  failures=1
}

# Those of the files whose path matches the first expression, not the second.
select_files() {
  printf '%s\n' "${files[@]}" | grep -E -- "$1" | grep -Ev -- "${2:-^$}"
}

# check TITLE PATTERN PATHS [EXCEPT_PATHS]
check() {
  local found
  found=$(select_files "$3" "${4:-}" |
    xargs -r -d '\n' grep -HnE -- "$2" /dev/null)
  [[ -z $found ]] || report "$1" "$found"
}

readonly cpp='\.(h|cc)$'
readonly build='(^|/)BUILD$|\.bzl$'
# Bugs and bad code on purpose, and this file, which names what it looks for.
readonly self='^tools/tidy(_test)?\.sh$'
readonly tests='_test\.cc$'
# Programs that check or measure the runtime from outside.
readonly drivers='_(test|benchmark)\.cc$'

check 'Atomics belong to the files that architecture names:' \
  'memory_order|std::atomic|<atomic>' "$cpp" \
  "^(base|mailbox|scheduler|actor/internal|registry/internal|testing|benchmarks|tools/precompiled)/|$drivers"

check 'A test that sleeps is slow or wrong; wait for an event or use virtual time:' \
  'sleep_for|sleep_until|SleepFor|\b(u|nano)?sleep\(' "(^testing/.*\.(h|cc)|$tests)$"

check 'Clock, randomness and threads come through base/ and scheduler/:' \
  'system_clock|steady_clock|absl::Now\(|GetCurrentTime|clock_gettime|[^_a-z]s?rand\(|mt19937|random_device|absl::BitGen|std::this_thread|std::j?thread\b|[^_a-z]socket\(' \
  "$cpp" "^(base|scheduler|cluster|testing|benchmarks|examples)/|$drivers"

check 'Limits of waits are monotonic, and those of Abseil are not (base/cond_var.h):' \
  'absl::CondVar|(Await|LockWhen|WaitForNotification)With(Timeout|Deadline)' \
  "$cpp" "^(testing|benchmarks)/|_testing\.cc$|^base/cond_var\.h$|$drivers"

packages=$(select_files '^[^/]+/(.*/)?BUILD$' | cut -d/ -f1 | sort -u | paste -sd'|')
check 'Our headers are included by troupe/<package>/<file>.h:' \
  "^ *# *include *[\"<](${packages:-none})/" "$cpp" '^tools/external_workspace/'

# Pages are not: one that is forgotten would be left unchecked. Nor is what fuzz
# tests have found.
check 'Sources are named one by one:' \
  '(^|[^a-z_])glob\(' "$build" '^(third_party/|docs/BUILD$|tools/fuzz_test\.bzl$)'

# But for what protoc writes, which is not held to our warnings.
check 'C++ rules come from //tools:cc.bzl:' \
  '^cc_(library|test|binary)\(' '(^|/)BUILD$' \
  '^(third_party|tools)/|^cluster/protobuf/BUILD$'

check 'A test that fails now and then is broken:' '\bflaky *=' "$build"

check 'Nothing is left for later:' \
  '\b(TODO|FIXME|XXX)\b' '.' "$self|^LICENSE$"

check 'No path or name of the machine that wrote it:' \
  "/(home|root|Users)/[a-z]|/work/[a-z]|/tmp/bazel|$(hostname 2>/dev/null | grep -E '.{6,}' || echo '^$-')" \
  '.' "$self"

check 'A line ends with its last word, and is indented with spaces:' \
  $'[ \t]+$|^ *\t' '\.(h|cc|bzl|sh|md|bazel)$|(^|/)(BUILD|WORKSPACE|bazelw|run)$'

# base/check.h is guarded by TROUPE_BASE_CHECK_H_.
check_guards() {
  local header guard wrong=
  while IFS= read -r header; do
    guard=TROUPE_${header^^}_
    guard=${guard//[^A-Z0-9]/_}
    if ! grep -qx "#ifndef $guard" "$header" ||
      ! grep -qx "#define $guard" "$header"; then
      wrong+="$header: $guard"$'\n'
    fi
  done < <(select_files '\.h$' '^tools/external_workspace/')
  [[ -z $wrong ]] || report 'Include guards are named after their file:' "$wrong"
}
check_guards

check_lengths() {
  local long
  long=$(select_files "$cpp" | xargs -r -d '\n' wc -l |
    awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }')
  [[ -z $long ]] || report 'A file of more than 600 lines has two subjects:' "$long"
}
check_lengths

exit "$failures"
