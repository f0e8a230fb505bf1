// What holds for every message that crosses, whoever wrote it.
#ifndef TROUPE_CLUSTER_CODEC_LIMITS_H_
#define TROUPE_CLUSTER_CODEC_LIMITS_H_

#include <cstddef>

namespace troupe {

inline constexpr size_t kMaxVarintBytes = 10;

// How deep values may lie within values.
inline constexpr int kMaxDepth = 64;

// A decoder allocates at most so many bytes for each byte of its input, and so
// many whatever that is. Who sends many small values that are large in memory,
// such as empty strings, pads the message: so a stranger cannot make us
// allocate more than a small multiple of what he sent, and no message that is
// meant is refused.
inline constexpr size_t kMemoryPerByte = 4;
inline constexpr size_t kMemoryBase = size_t{64} << 10;

// What a container is taken to need for each element beside the element: the
// links of a node and what the allocator keeps.
inline constexpr size_t kMemoryPerNode = 48;

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_LIMITS_H_
