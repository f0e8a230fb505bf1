"""Headers that g++ reads once for all the files that begin with them.

    troupe_precompiled_header(
        name = "test_headers",
        src = "test_headers.h",
        deps = ["@com_google_googletest//:gtest"],
    )

A target that depends on it and has the option `-include` with the path of `src`
in the output tree begins with what is precompiled, if it is compiled with the
same options; else with `src`. A file includes what it uses nevertheless: clang
goes without.
"""

load("@rules_cc//cc:find_cc_toolchain.bzl", "use_cc_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//tools:compile_command.bzl", "compile_command")

def _precompiled_header_impl(ctx):
    # g++ looks for NAME.gch beside NAME.
    header = ctx.actions.declare_file(ctx.file.src.basename)
    ctx.actions.symlink(output = header, target_file = ctx.file.src)
    precompiled = ctx.actions.declare_file(ctx.file.src.basename + ".gch")

    command = compile_command(
        ctx,
        output_path = precompiled.path,
        # What is read is kept in the output, for `-fpch-deps`.
        flags = ["-x", "c++-header", "-MD", "-MF", "/dev/null"],
        is_pic = True,
    )
    ctx.actions.run(
        executable = command.tool,
        arguments = command.arguments,
        env = command.environment,
        inputs = command.inputs,
        outputs = [precompiled],
        mnemonic = "CppPrecompile",
        progress_message = "Precompiling %s" % ctx.file.src.short_path,
    )
    files = CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset([ctx.file.src, header, precompiled]),
    ))
    return [cc_common.merge_cc_infos(
        cc_infos = [files] + [dep[CcInfo] for dep in ctx.attr.deps],
    )]

troupe_precompiled_header = rule(
    doc = "What g++ makes of `src`, beside it in the output tree.",
    implementation = _precompiled_header_impl,
    attrs = {
        "deps": attr.label_list(
            doc = "Whose headers `src` includes.",
            providers = [CcInfo],
        ),
        "src": attr.label(
            allow_single_file = [".h"],
            doc = "The header that includes the others.",
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(
            default = "@rules_cc//cc:current_cc_toolchain",
        ),
    },
    fragments = ["cpp"],
    toolchains = use_cc_toolchain(),
)
