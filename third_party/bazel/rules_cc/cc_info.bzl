"""rules_cc for Bazel 4: CcInfo, which Bazel itself contains."""

load("//cc:builtins.bzl", "builtin_cc_info")

CcInfo = builtin_cc_info
