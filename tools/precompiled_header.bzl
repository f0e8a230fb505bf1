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

load("@rules_cc//cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//tools:copts.bzl", "TROUPE_COPTS")

def _precompiled_header_impl(ctx):
    # g++ looks for NAME.gch beside NAME.
    header = ctx.actions.declare_file(ctx.file.src.basename)
    ctx.actions.symlink(output = header, target_file = ctx.file.src)
    precompiled = ctx.actions.declare_file(ctx.file.src.basename + ".gch")

    toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        user_compile_flags = (
            ctx.fragments.cpp.copts +
            ctx.fragments.cpp.cxxopts +
            TROUPE_COPTS +
            # What is read is kept in the output, for `-fpch-deps`.
            ["-x", "c++-header", "-MD", "-MF", "/dev/null"]
        ),
        source_file = ctx.file.src.path,
        output_file = precompiled.path,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        preprocessor_defines = context.defines,
        use_pic = toolchain.needs_pic_for_dynamic_libraries(
            feature_configuration = features,
        ),
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset(
            [ctx.file.src],
            transitive = [context.headers, toolchain.all_files],
        ),
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
