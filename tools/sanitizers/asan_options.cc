// What the address and undefined-behaviour sanitizers of `--config=asan` do,
// part of the program so that a test, `bazel run` and a debugger see the same.
// The names are the sanitizers' own: their runtimes call these functions.

extern "C" {

const char* __asan_default_options() {
  return
      // An address that outlives its function is found, not only one that
      // outlives its allocation.
      "detect_stack_use_after_return=1"
      // A static that reads another file's static before it is constructed.
      ":check_initialization_order=1:strict_init_order=1"
      // Leaks are errors.
      ":detect_leaks=1";
}

const char* __ubsan_default_options() {
  return
      // The report names the callers too.
      "print_stacktrace=1";
}

}  // extern "C"
