"""A test that passes when a source file does not compile, for the right reason.

    troupe_compile_fail_test(
        name = "wrong_message_compile_fail_test",
        src = "wrong_message.cc",
        expect = ["does not handle this message"],
        deps = [":actor_ref"],
    )

The file is compiled by the configured compiler, with the options that all our
code has, against the headers of `deps`. The compiler runs in a build action, so
that it is sandboxed and cached like any other; the test reads what it said.
"""

load("@rules_cc//cc:find_cc_toolchain.bzl", "use_cc_toolchain")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//tools:compile_command.bzl", "compile_command")

# Writes what the compiler said and the code that it ended with. The object is
# not wanted; templates are only instantiated on the way to one.
_COMPILE = """
diagnostics=$1 status=$2 object=$3
shift 3
"$@" >"$diagnostics" 2>&1
echo "$?" >"$status"
rm -f "$object"
"""

def _compile(ctx, diagnostics, status):
    object_path = diagnostics.path + ".o"
    command = compile_command(
        ctx,
        output_path = object_path,
        # Plain text, one line for each message.
        flags = ctx.attr.copts + ["-fdiagnostics-color=never", "-fmessage-length=0"],
        # Headers need not be declared exactly by code that is meant to be bad.
        unsupported_features = ["layering_check"],
    )
    environment = dict(command.environment)

    # Quotation marks that a pattern can spell.
    environment["LC_ALL"] = "C"
    ctx.actions.run_shell(
        command = _COMPILE,
        arguments = [
            diagnostics.path,
            status.path,
            object_path,
            command.tool,
        ] + command.arguments,
        env = environment,
        inputs = command.inputs,
        outputs = [diagnostics, status],
        mnemonic = "CompileFail",
        progress_message = "Compiling %s, which must fail" % ctx.file.src.short_path,
    )

def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"

def _compile_fail_test_impl(ctx):
    diagnostics = ctx.actions.declare_file(ctx.label.name + ".diagnostics")
    status = ctx.actions.declare_file(ctx.label.name + ".status")
    _compile(ctx, diagnostics, status)

    test = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        output = test,
        content = "#!/bin/bash\nexec %s\n" % " ".join([
            _quoted(argument)
            for argument in [
                ctx.executable._check.short_path,
                status.short_path,
                diagnostics.short_path,
            ] + ctx.attr.expect
        ]),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [ctx.executable._check, diagnostics, status])
    return [DefaultInfo(executable = test, runfiles = runfiles)]

troupe_compile_fail_test = rule(
    doc = "Passes when `src` does not compile and the compiler says what is expected.",
    implementation = _compile_fail_test_impl,
    attrs = {
        "copts": attr.string_list(
            doc = "Added to the options of all our code.",
        ),
        "deps": attr.label_list(
            doc = "Whose headers `src` includes.",
            providers = [CcInfo],
        ),
        "expect": attr.string_list(
            allow_empty = False,
            doc = "Extended regular expressions; the diagnostics must match each.",
            mandatory = True,
        ),
        "src": attr.label(
            allow_single_file = [".cc"],
            doc = "The file that must not compile.",
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(
            default = "@rules_cc//cc:current_cc_toolchain",
        ),
        "_check": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "//tools:check_diagnostics.sh",
            executable = True,
        ),
    },
    fragments = ["cpp"],
    test = True,
    toolchains = use_cc_toolchain(),
)
