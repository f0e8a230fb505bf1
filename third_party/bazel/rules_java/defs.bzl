"""rules_java for Bazel 4: the rules that Bazel itself contains.

Nothing here is written in Java, but the toolchains that Bazel registers for
itself load this file.
"""

java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_runtime = native.java_runtime
java_test = native.java_test
java_toolchain = native.java_toolchain
