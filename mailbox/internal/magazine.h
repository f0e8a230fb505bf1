// What the parts of the envelope pool share: size classes, blocks, magazines.
#ifndef TROUPE_MAILBOX_INTERNAL_MAGAZINE_H_
#define TROUPE_MAILBOX_INTERNAL_MAGAZINE_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace troupe::internal {

inline constexpr size_t kSmallestBlock = 64;
// 64, 128, 192, 256, 512, ... 4096 bytes: powers of two, and what the frame of
// a coroutine takes that waits for one thing only.
inline constexpr uint8_t kSizeClasses = 8;
inline constexpr uint8_t kOversizeClass = kSizeClasses;

// The class that holds `size_bytes`, or kOversizeClass. Without a loop: the
// size of a frame becomes a constant only when loops have been unrolled.
constexpr uint8_t SizeClassOf(size_t size_bytes) {
  if (size_bytes <= kSmallestBlock) return 0;
  if (size_bytes <= 2 * kSmallestBlock) return 1;
  if (size_bytes <= 3 * kSmallestBlock) return 2;
  const int shift = std::bit_width((size_bytes - 1) / kSmallestBlock);
  return shift + 1 < kSizeClasses ? static_cast<uint8_t>(shift + 1)
                                  : kOversizeClass;
}

// Bytes in a block of the class; 0 for kOversizeClass.
constexpr size_t BlockBytes(uint8_t size_class) {
  if (size_class >= kSizeClasses) return 0;
  return size_class <= 2 ? kSmallestBlock * (size_class + 1)
                         : kSmallestBlock << (size_class - 1);
}

// Blocks in a full magazine of the class: 4 KiB worth, but at least four.
constexpr uint32_t MagazineBlocks(uint8_t size_class) {
  const auto blocks = static_cast<uint32_t>(4096 / BlockBytes(size_class));
  return blocks < 4 ? 4 : blocks;
}

// A free block. Behind `next` it is poisoned.
struct FreeBlock {
  FreeBlock* next;
};

// A chain of free blocks of one class.
struct Magazine {
  FreeBlock* top = nullptr;
  uint32_t count = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_MAILBOX_INTERNAL_MAGAZINE_H_
