"""Abseil as a repository, from the packages of Debian and Ubuntu."""

load("//third_party:debian.bzl", "copy_installed")
load(":packaged_targets.bzl", "PACKAGES")

_PACKAGE = """package(features = ["layering_check"])
"""

_LIBRARY = """
cc_library(
    name = "{name}",
    hdrs = {hdrs},
    linkopts = {linkopts},
    visibility = ["{visibility}"],
    deps = {deps},
)
"""

def _library(name, target):
    linkopts = ["-labsl_" + target["lib"], "-pthread"] if "lib" in target else []
    return _LIBRARY.format(
        name = name,
        hdrs = target.get("hdrs", []),
        linkopts = linkopts,
        visibility = "//visibility:public" if target.get("public") else "//:__subpackages__",
        deps = target.get("deps", []),
    )

def _packaged_abseil_impl(ctx):
    ctx.file("BUILD", "")
    copy_installed(ctx, "/usr/include/absl", "absl", "libabsl-dev")
    for package, targets in PACKAGES.items():
        rules = []
        for name, target in targets.items():
            rules.append(_library(name, target))
        ctx.file(package + "/BUILD", _PACKAGE + "".join(rules))

abseil_repository = repository_rule(
    doc = "The installed Abseil, one target for each of upstream's.",
    implementation = _packaged_abseil_impl,
    local = True,
)
