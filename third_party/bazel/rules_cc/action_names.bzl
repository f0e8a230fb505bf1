"""rules_cc for Bazel 4: the names of compiler actions."""

load("//cc:builtins.bzl", "cpp_compile_action_name")

CPP_COMPILE_ACTION_NAME = cpp_compile_action_name
