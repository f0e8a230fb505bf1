"""The compiler options of all our code."""

TROUPE_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    # Sizes are unsigned and counts are signed; both are compared all the time
    # and a wrong cast is worse than the comparison.
    "-Wno-sign-compare",
]
