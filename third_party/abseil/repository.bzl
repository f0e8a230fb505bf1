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

def _packaged(ctx):
    copy_installed(ctx, "/usr/include/absl", "absl", "libabsl-dev")
    ctx.file("BUILD", "")
    for package, targets in PACKAGES.items():
        rules = [_library(name, target) for name, target in targets.items()]
        ctx.file(package + "/BUILD", _PACKAGE + "".join(rules))

def _from_source(ctx):
    source = ctx.path(Label("@abseil_source//:WORKSPACE")).dirname
    ctx.symlink(source.get_child("absl"), "absl")

def _abseil_repository_impl(ctx):
    if ctx.os.environ.get("TROUPE_ABSEIL", "packaged") == "source":
        _from_source(ctx)
    else:
        _packaged(ctx)

abseil_repository = repository_rule(
    doc = """Abseil under upstream's labels.

With --repo_env=TROUPE_ABSEIL=source it is what Debian's library was built from,
with upstream's own BUILD files; otherwise the installed library, with one target
for each of upstream's.""",
    implementation = _abseil_repository_impl,
    environ = ["TROUPE_ABSEIL"],
    local = True,
)

def _abseil_source_repository_impl(ctx):
    script = ctx.path(Label("//third_party/abseil:download_source.sh"))
    result = ctx.execute([script, "unpacked"])
    if result.return_code != 0:
        fail("The source package of Abseil was not unpacked:\n" + result.stderr)
    ctx.symlink("unpacked/absl", "absl")
    ctx.file("BUILD", "")

abseil_source_repository = repository_rule(
    doc = """Debian's source package of Abseil, unpacked.

Only what asks for Abseil from source fetches it.""",
    implementation = _abseil_source_repository_impl,
)
