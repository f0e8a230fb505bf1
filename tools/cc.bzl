"""The C++ rules of this repository.

They are rules_cc's, with five things added that every package wants:

* headers are included by `troupe/<package>/<file>.h`, so that our plain folder
  names cannot collide with a user's;
* own code is warning-free; code of others is not held to that;
* tests begin with precompiled headers (with g++): two fifths of what compiling
  them takes is reading GoogleTest's, Abseil's and the standard library's;
* layering is checked (with clang): a header that is reachable only through
  another target's deps is an error that names it;
* a program built in a sanitizer lane carries that lane's options.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//tools:copts.bzl", "TROUPE_COPTS")

_FEATURES = ["layering_check"]

# Who asks for the `main` of a framework includes its headers too. Upstream has
# them in a target of their own, and the layering check wants that one as well.
_HEADERS_OF_MAIN = {
    "@com_github_google_benchmark//:benchmark_main": "@com_github_google_benchmark//:benchmark",
    "@com_google_googletest//:gtest_main": "@com_google_googletest//:gtest",
}

def _with_headers_of_main(deps):
    headers = [_HEADERS_OF_MAIN[dep] for dep in deps if dep in _HEADERS_OF_MAIN]
    return deps + [dep for dep in headers if dep not in deps]

# Every program, so that it behaves alike under `bazel test`, `bazel run` and by
# hand: no option has to be passed in the environment.
def _sanitizer_options(uses_grpc):
    tsan_options = "tsan_options_with_grpc" if uses_grpc else "tsan_options"
    return select({
        "//tools/sanitizers:is_asan": ["//tools/sanitizers:asan_options"],
        "//tools/sanitizers:is_tsan": ["//tools/sanitizers:" + tsan_options],
        "//conditions:default": [],
    })

# That a test begins with the precompiled headers, and depends on what is in them.
_WITH_TEST_HEADERS = [
    "-include",
    "/".join([
        part
        for part in [
            "$(BINDIR)",
            Label("//tools/precompiled:test_headers").workspace_root,
            "tools/precompiled/test_headers.h",
        ]
        if part
    ]),
    "-fpch-deps",
    # Abseil silences it by a pragma, which what is precompiled does not keep.
    "-Wno-nonnull-compare",
]

# `yes` where tests begin with precompiled headers, else `[]`.
def _if_precompiled(yes):
    return select({
        "//tools/precompiled:is_gcc": yes,
        "//tools/precompiled:is_gcc_of_bazel_4": yes,
        "//tools/precompiled:is_gcc_of_bazel_4_with_asan": [],
        "//tools/precompiled:is_gcc_with_asan": [],
        "//conditions:default": [],
    })

# What is neither measured nor debugged nor of a lane that says how is optimised a
# little: that hardly takes the compiler longer, and tests half as long. Tests
# themselves are not: most of what is compiled is theirs.
_OPTIMIZED_A_LITTLE = select({
    "//tools:is_fastbuild": ["-O1"],
    "//tools:is_fastbuild_with_asan": [],
    "//tools:is_fastbuild_with_tsan": [],
    "//conditions:default": [],
})

# In the sanitizer lanes each step takes four times as long. See testing/scale.h.
def _scale(scaled):
    if not scaled:
        return {}
    quarter = {"TROUPE_TEST_SCALE_PERCENT": "25"}
    return select({
        "//tools/sanitizers:is_asan": quarter,
        "//tools/sanitizers:is_tsan": quarter,
        "//conditions:default": {},
    })

def troupe_cc_library(name, copts = [], features = [], **kwargs):
    """A cc_library whose headers are included as `troupe/<package>/<file>.h`.

    Args:
      name: the name of the target.
      copts: added to the options of all our code.
      features: added to the features of all our code.
      **kwargs: as for cc_library.
    """
    cc_library(
        name = name,
        copts = TROUPE_COPTS + _OPTIMIZED_A_LITTLE + copts,
        features = _FEATURES + features,
        include_prefix = "troupe/" + native.package_name(),
        **kwargs
    )

def troupe_cc_test(
        name,
        size,
        deps,
        copts = [],
        features = [],
        uses_grpc = False,
        scaled = False,
        **kwargs):
    """A cc_test; its size must be said.

    Args:
      name: the name of the target.
      size: as for cc_test.
      deps: as for cc_test; `gtest_main` brings GoogleTest's headers.
      copts: added to the options of all our code.
      features: added to the features of all our code.
      uses_grpc: whether gRPC is linked, of which the lane tsan must know.
      scaled: whether it does a quarter of its work in the sanitizer lanes: of what
        is testing::Scaled(), and of its seeds.
      **kwargs: as for cc_test.
    """
    cc_test(
        name = name,
        size = size,
        copts = TROUPE_COPTS + copts + _if_precompiled(_WITH_TEST_HEADERS),
        features = _FEATURES + features,
        deps = (
            _with_headers_of_main(deps) +
            _sanitizer_options(uses_grpc) +
            _if_precompiled(["//tools/precompiled:test_headers"])
        ),
        env = _scale(scaled),
        **kwargs
    )

def troupe_cc_binary(name, deps = [], copts = [], features = [], uses_grpc = False, **kwargs):
    """A cc_binary.

    Args:
      name: the name of the target.
      deps: as for cc_binary; `benchmark_main` brings Benchmark's headers.
      copts: added to the options of all our code.
      features: added to the features of all our code.
      uses_grpc: whether gRPC is linked, of which the lane tsan must know.
      **kwargs: as for cc_binary.
    """
    cc_binary(
        name = name,
        copts = TROUPE_COPTS + copts,
        features = _FEATURES + features,
        deps = _with_headers_of_main(deps) + _sanitizer_options(uses_grpc),
        **kwargs
    )
