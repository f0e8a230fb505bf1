"""The compiler options of all our code."""

TROUPE_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    # Sizes are unsigned and counts are signed; both are compared all the time
    # and a wrong cast is worse than the comparison.
    "-Wno-sign-compare",
    # The code is for Abseil of 2022 and of today: what the newer one deprecates
    # may be all that the older one has.
    "-Wno-deprecated-declarations",
]
