"""How our rules have the configured compiler read a file."""

load("@rules_cc//cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//tools:copts.bzl", "TROUPE_COPTS")

def compile_command(ctx, output_path, flags, is_pic = False, unsupported_features = []):
    """The command that compiles `src` of a rule against the headers of its `deps`.

    Args:
      ctx: of a rule with the attributes `src` and `deps`, the fragment `cpp` and the
        toolchains of use_cc_toolchain().
      output_path: what the compiler writes.
      flags: added to the options of all our code.
      is_pic: whether the code can be loaded anywhere, if the toolchain's other code
        can.
      unsupported_features: features that the command goes without.

    Returns:
      A struct of the compiler (`tool`), its `arguments`, its `environment` and its
      `inputs`.
    """
    toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features + unsupported_features,
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
            flags
        ),
        source_file = ctx.file.src.path,
        output_file = output_path,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        preprocessor_defines = context.defines,
        use_pic = is_pic and toolchain.needs_pic_for_dynamic_libraries(
            feature_configuration = features,
        ),
    )
    return struct(
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        environment = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset(
            [ctx.file.src],
            transitive = [context.headers, toolchain.all_files],
        ),
        tool = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
    )
