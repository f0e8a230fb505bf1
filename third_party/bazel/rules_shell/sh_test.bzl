"""rules_shell for Bazel 4: the rule that Bazel itself contains."""

sh_test = native.sh_test
