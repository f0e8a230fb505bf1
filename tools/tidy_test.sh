#!/bin/bash
# Tests tidy.sh: each rule finds its offence, and only that.
set -uo pipefail

readonly tidy=$PWD/tools/tidy.sh
cd "$TEST_TMPDIR" || exit 1
failures=0

# Lays out the file PATH, with CONTENT.
file() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1"
}

# finds PATH CONTENT TEXT: the file alone is reported, with TEXT.
finds() {
  local said
  file "$1" "$2"
  if said=$("$tidy" "$1" mailbox/BUILD 2>&1); then
    echo "Passed, and must not: $1: $2"
    failures=1
  elif [[ $said != *"$3"* ]]; then
    echo "Not the report that was expected for $1: $said"
    failures=1
  fi
}

# accepts PATH CONTENT
accepts() {
  local said
  file "$1" "$2"
  if ! said=$("$tidy" "$1" mailbox/BUILD 2>&1); then
    echo "Reported, and must not be: $1: $said"
    failures=1
  fi
}

header() {
  printf '#ifndef %s\n#define %s\n%s\n#endif  // %s' "$1" "$1" "$2" "$1"
}

file mailbox/BUILD 'package(default_visibility = ["//visibility:private"])'

accepts registry/names.h "$(header TROUPE_REGISTRY_NAMES_H_ 'class Names;')"

finds registry/names.cc 'std::atomic<int> count;' 'registry/names.cc:1:'
finds actor/actor.cc 'x.load(std::memory_order_relaxed);' 'Atomics belong'
accepts mailbox/word.cc 'std::atomic<int> count;'
accepts actor/internal/cell.cc 'std::atomic<int> count;'
accepts registry/names_test.cc 'std::atomic<int> count;'

finds mailbox/mailbox_test.cc 'absl::SleepFor(absl::Seconds(1));' 'sleeps'
finds testing/probe.cc 'usleep(10);' 'sleeps'

finds actor/actor.cc 'auto now = absl::Now();' 'come through'
finds actor/actor.cc 'int x = rand();' 'come through'
finds actor/actor.cc 'std::thread t;' 'come through'
accepts actor/actor.cc 'int operand(int x); // std::this is fine'
accepts scheduler/worker.cc 'std::thread t;'
accepts mailbox/pool_benchmark.cc 'std::thread t;'

finds stream/stream.h "$(header TROUPE_STREAM_STREAM_H_ 'absl::CondVar any;')" \
  'monotonic'
finds actor/actor.cc 'mu.AwaitWithTimeout(c, d);' 'monotonic'
accepts actor/actor.cc 'any_.WaitWithTimeout(&mu_, timeout);'
accepts actor/actor_test.cc 'mu.AwaitWithTimeout(c, d);'

finds actor/actor.cc '#include "mailbox/mailbox.h"' 'troupe/<package>'
accepts actor/actor.cc '#include "troupe/mailbox/mailbox.h"'

finds actor/BUILD 'srcs = glob(["*.cc"]),' 'one by one'
accepts docs/BUILD 'srcs = glob(["**/*.md"]),'
accepts tools/fuzz_test.bzl 'inputs = native.glob([corpus + "/*"])'
finds actor/BUILD 'cc_library(' '//tools:cc.bzl'
finds actor/BUILD '    flaky = True,' 'now and then'
accepts actor/BUILD 'troupe_cc_library('

finds actor/actor.cc '// TODO: later' 'left for later'
finds docs/guide.md 'FIXME' 'left for later'

finds docs/guide.md 'cd /home/somebody/troupe' 'name of the machine'
accepts docs/guide.md 'cd troupe'

finds actor/actor.cc 'int x; ' 'last word'
finds actor/actor.cc $'\tint x;' 'spaces'

finds actor/actor.h "$(header ACTOR_H 'class Actor;')" 'TROUPE_ACTOR_ACTOR_H_'

finds actor/actor.cc "$(seq 601)" '601 lines'
accepts actor/actor.cc "$(seq 600)"

exit "$failures"
