"""Repositories made of what a Debian or Ubuntu package has installed."""

def _require_file(ctx, path, package):
    """Fails with the name of the package that would have installed `path`.

    Args:
      ctx: the repository context.
      path: an installed file or folder, absolute.
      package: the Debian package it belongs to.
    """
    if not ctx.path(path).exists:
        fail(("\n{path} is missing: install the package {package}\n" +
              "    apt-get install {package}\n" +
              "or let ./bazelw install all that is needed.").format(
            package = package,
            path = path,
        ))

def copy_installed(ctx, installed, path, package):
    """Copies an installed folder of headers into the repository.

    A link would not do. The compiler's own module map lists all of
    /usr/include, a link is the same file to clang as what it points to, and so
    a header of an undeclared dependency would pass the layering check.

    Args:
      ctx: the repository context.
      installed: the folder, absolute.
      path: where it goes in the repository.
      package: the Debian package it belongs to.
    """
    _require_file(ctx, installed, package)
    parent = path.rpartition("/")[0]
    for command in [["mkdir", "-p", "./" + parent], ["cp", "-RL", installed, path]]:
        result = ctx.execute(command)
        if result.return_code != 0:
            fail("%s: %s" % (" ".join(command), result.stderr))

def _debian_repository_impl(ctx):
    for installed, path in ctx.attr.headers.items():
        copy_installed(ctx, installed, path, ctx.attr.package)
    for installed in ctx.attr.children_of:
        _require_file(ctx, installed, ctx.attr.package)
        for child in ctx.path(installed).readdir():
            if child.basename != "WORKSPACE":
                ctx.symlink(child, child.basename)
    for template, path in ctx.attr.files.items():
        ctx.template(path, template)
    for package in ctx.attr.empty_packages:
        ctx.file(package + "/BUILD", "")

debian_repository = repository_rule(
    doc = "Installed files and files of ours, put together as one repository.",
    implementation = _debian_repository_impl,
    attrs = {
        "children_of": attr.string_list(
            doc = "Installed folders whose children become the top level.",
        ),
        "empty_packages": attr.string_list(
            doc = "Folders that hold nothing to build, only files to load.",
        ),
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "Files of ours, to their paths in the repository.",
        ),
        "headers": attr.string_dict(
            doc = "Installed folders of headers, to their paths in the repository.",
        ),
        "package": attr.string(
            doc = "The Debian package that a missing file is reported with.",
        ),
    },
    local = True,
)
