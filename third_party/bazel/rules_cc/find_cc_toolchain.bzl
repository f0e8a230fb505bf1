"""rules_cc for Bazel 4: how a rule finds the C++ toolchain."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

find_cc_toolchain = find_cpp_toolchain

def use_cc_toolchain():
    """What a rule that finds the toolchain has among its toolchains."""
    return ["@bazel_tools//tools/cpp:toolchain_type"]
