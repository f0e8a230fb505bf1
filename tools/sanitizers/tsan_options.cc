// What the thread sanitizer of `--config=tsan` does and what it must not
// report, part of the program so that a test, `bazel run` and a debugger see
// the same. The names are the sanitizer's own: its runtime calls these
// functions.

extern "C" {

const char* __tsan_default_options() {
  return
      // Clang's runtime has no symbolizer of its own, and without one the
      // suppressions below would match nothing.
      "external_symbolizer_path=/usr/bin/llvm-symbolizer-19"
      // Enough history to show both sides of a race between long turns.
      ":history_size=4"
      // Both stacks of a lock-order inversion.
      ":second_deadlock_stack=1"
#ifdef TROUPE_WITH_GRPC
      // Debian's gRPC is not instrumented: what it calls of the C library is
      // its own affair.
      ":ignore_noninstrumented_modules=1"
#endif
      ;
}

// One suppression per line, each with its reason.
const char* __tsan_default_suppressions() {
  return
      // Inside a Mutex the sanitizer ignores synchronisation on request and
      // goes by Abseil's annotations alone. So it sees a waker touch the
      // semaphore that the woken thread constructed, with nothing in between:
      // Abseil's own word, never what a Mutex guards.
      "race:AbslInternalPerThreadSemPost\n"
#ifdef TROUPE_WITH_GRPC
      // What gRPC does with its own data, in functions of the instrumented
      // Abseil too: how it synchronises is not seen. It calls nothing of ours
      // but what frees a message.
      "race:libgrpc.so\n"
      "race:libgrpc++.so\n"
#endif
      ;
}

}  // extern "C"
