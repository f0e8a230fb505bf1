"""Bugs that the swarms must find."""

load("//tools:cc.bzl", "troupe_cc_test")

# Sanitizers make them slow, and find nothing more.
_NOT_SANITIZED = select({
    "//tools/sanitizers:is_asan": ["@platforms//:incompatible"],
    "//tools/sanitizers:is_tsan": ["@platforms//:incompatible"],
    "//conditions:default": [],
})

def planted_bug(name, file, invariant, first_seed = 0):
    """A test that the swarm finds a bug, and says which promise it breaks.

    `<name>.patch` puts the bug into one source of the runtime. That is compiled
    into the test, where it takes the place of the archive's own. A patch that
    does not apply any more is an error of the build.

    Args:
      name: what the bug does.
      file: the label of the source.
      invariant: the name of the one that is found broken, or several with `|`
        between.
      first_seed: where to begin.
    """
    _planted_bug(name, file, invariant, first_seed, 20000, "//testing/swarm")

def planted_cluster_bug(name, file, invariant, first_seed = 0):
    """The same for the swarm of nodes.

    Args:
      name: as for planted_bug.
      file: as for planted_bug.
      invariant: as for planted_bug.
      first_seed: as for planted_bug.
    """
    swarm = "//testing/swarm/cluster:cluster_swarm"
    _planted_bug(name, file, invariant, first_seed, 3000, swarm)

def _planted_bug(name, file, invariant, first_seed, seeds, swarm):
    native.genrule(
        name = name + "_source",
        testonly = True,
        srcs = [
            file,
            name + ".patch",
        ],
        outs = [name + ".cc"],
        # In a copy: inputs are links, which patch leaves alone.
        cmd = "cat $(location %s) >$@ && patch --quiet --fuzz=0 $@ $(location %s.patch)" % (file, name),
        target_compatible_with = _NOT_SANITIZED,
    )
    troupe_cc_test(
        name = name + "_test",
        size = "medium",
        srcs = [name + ".cc"],
        args = [
            "--invariant='%s'" % invariant,
            "--first_seed=%d" % first_seed,
            "--seeds=%d" % seeds,
        ],
        # What the bug leaves unused is no matter.
        copts = ["-w"],
        # It includes what the source of another target does.
        features = ["-layering_check"],
        target_compatible_with = _NOT_SANITIZED,
        deps = [
            "//testing/swarm/planted:finds_planted_bug",
            swarm,
        ],
    )
