"""rules_cc for Bazel 4: cc_common, which Bazel itself contains."""

load("//cc:builtins.bzl", "builtin_cc_common")

cc_common = builtin_cc_common
