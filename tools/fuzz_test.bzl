"""A test that libFuzzer can look for inputs for.

    troupe_fuzz_test(
        name = "name_fuzz_test",
        size = "small",
        srcs = ["name_fuzz_test.cc"],
        corpus = "corpus/name",
        deps = [":name"],
    )

The source defines LLVMFuzzerTestOneInput(); for bytes as choices it has
//tools/fuzz:input. Expectations of GoogleTest end the program there when they
fail. `corpus` is a folder of at most 50 files of at most 4 KiB, which an ordinary
test run replays, in every lane. With --config=fuzz the program is libFuzzer:
tools/fuzz/run.sh lets it look for more, and docs/testing.md tells how.
"""

load("//tools:cc.bzl", "troupe_cc_test")

def troupe_fuzz_test(name, size, srcs, corpus, deps, tags = [], **kwargs):
    """A cc_test that runs on each file of a corpus.

    Args:
      name: the name of the target; tools/fuzz/run.sh knows it by its tag "fuzz".
      size: as for cc_test.
      srcs: as for cc_test.
      corpus: the folder of the inputs. Empty, it is an error.
      deps: as for cc_test.
      tags: as for cc_test.
      **kwargs: as for cc_test.
    """

    # A corpus is whatever was found.
    inputs = native.glob([corpus + "/*"], allow_empty = False)

    # For tests that plant bugs, which it must find.
    native.filegroup(
        name = name + "_corpus",
        srcs = inputs,
        visibility = ["//visibility:private"],
    )
    troupe_cc_test(
        name = name,
        size = size,
        srcs = srcs,
        args = ["$(location %s)" % file for file in inputs],
        data = inputs,
        tags = tags + ["fuzz"],
        deps = deps + [
            "//tools/fuzz:main",
            "@com_google_googletest//:gtest",
        ],
        **kwargs
    )
