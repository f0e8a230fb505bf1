"""What Bazel 4 knows without a load, under names that can be loaded."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")

cpp_compile_action_name = CPP_COMPILE_ACTION_NAME
builtin_cc_common = cc_common  # buildifier: disable=native-cc-common
builtin_cc_info = CcInfo  # buildifier: disable=native-cc-info
