"""Everything outside this repository that a build needs.

With Bazel 7 and newer MODULE.bazel says the same in its own way.
"""

load("//third_party:debian.bzl", "debian_repository")
load("//third_party/abseil:repository.bzl", "abseil_repository", "abseil_source_repository")

def _bazel_repositories():
    """What Bazel 4 would otherwise try to download for itself."""
    debian_repository(
        name = "rules_cc",
        empty_packages = ["cc/common"],
        files = {
            "@troupe//third_party/bazel/rules_cc:action_names.bzl": "cc/action_names.bzl",
            "@troupe//third_party/bazel/rules_cc:builtins.bzl": "cc/builtins.bzl",
            "@troupe//third_party/bazel/rules_cc:cc.BUILD": "cc/BUILD",
            "@troupe//third_party/bazel/rules_cc:cc_common.bzl": "cc/common/cc_common.bzl",
            "@troupe//third_party/bazel/rules_cc:cc_info.bzl": "cc/common/cc_info.bzl",
            "@troupe//third_party/bazel/rules_cc:defs.bzl": "cc/defs.bzl",
            "@troupe//third_party/bazel/rules_cc:find_cc_toolchain.bzl": "cc/find_cc_toolchain.bzl",
        },
    )
    debian_repository(
        name = "rules_java",
        empty_packages = ["java"],
        files = {"@troupe//third_party/bazel/rules_java:defs.bzl": "java/defs.bzl"},
    )
    debian_repository(
        name = "rules_shell",
        empty_packages = ["shell"],
        files = {"@troupe//third_party/bazel/rules_shell:sh_test.bzl": "shell/sh_test.bzl"},
    )
    debian_repository(
        name = "remote_coverage_tools",
        files = {"@troupe//third_party/bazel:remote_coverage_tools.BUILD": "BUILD"},
    )
    debian_repository(
        name = "bazel_skylib",
        children_of = ["/usr/share/bazel/tools/skylib"],
        package = "bazel-skylib",
    )
    debian_repository(
        name = "platforms",
        children_of = ["/usr/share/bazel/tools/platforms"],
        package = "bazel-platforms",
    )

def troupe_repositories():
    """Declares every repository, under the labels that upstream uses."""
    _bazel_repositories()
    abseil_source_repository(name = "abseil_source")
    abseil_repository(name = "com_google_absl")
    debian_repository(
        name = "com_google_googletest",
        files = {"@troupe//third_party/googletest:packaged.BUILD": "BUILD"},
        headers = {
            "/usr/include/gmock": "include/gmock",
            "/usr/include/gtest": "include/gtest",
        },
        package = "libgmock-dev",
    )
    debian_repository(
        name = "com_github_google_benchmark",
        files = {"@troupe//third_party/benchmark:packaged.BUILD": "BUILD"},
        headers = {"/usr/include/benchmark": "include/benchmark"},
        package = "libbenchmark-dev",
    )
    debian_repository(
        name = "nlohmann_json",
        files = {"@troupe//third_party/nlohmann_json:packaged.BUILD": "BUILD"},
        headers = {"/usr/include/nlohmann": "include/nlohmann"},
        package = "nlohmann-json3-dev",
    )
    debian_repository(
        name = "boost_pfr",
        files = {"@troupe//third_party/boost_pfr:packaged.BUILD": "BUILD"},
        headers = {"/usr/include/boost/pfr": "include/boost/pfr"},
        package = "libboost1.81-dev",
    )
    debian_repository(
        name = "com_google_protobuf",
        files = {"@troupe//third_party/protobuf:packaged.BUILD": "BUILD"},
        headers = {
            "/usr/bin/protoc": "bin/protoc",
            "/usr/include/google/protobuf": "include/google/protobuf",
        },
        package = "libprotobuf-dev and protobuf-compiler",
    )
    debian_repository(
        name = "com_github_grpc_grpc",
        files = {"@troupe//third_party/grpc:packaged.BUILD": "BUILD"},
        headers = {
            "/usr/include/grpc": "include/grpc",
            "/usr/include/grpcpp": "include/grpcpp",
        },
        package = "libgrpc++-dev",
    )
    debian_repository(
        name = "openssl",
        files = {"@troupe//third_party/openssl:packaged.BUILD": "BUILD"},
        headers = {"/usr/include/openssl": "include/openssl"},
        package = "libssl-dev",
    )
