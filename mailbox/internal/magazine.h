// What the parts of the envelope pool share: size classes, blocks, magazines.
#ifndef TROUPE_MAILBOX_INTERNAL_MAGAZINE_H_
#define TROUPE_MAILBOX_INTERNAL_MAGAZINE_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace troupe::internal {

inline constexpr size_t kSmallestBlock = 64;
inline constexpr uint8_t kSizeClasses = 7;  // 64, 128, ... 4096 bytes.
inline constexpr uint8_t kOversizeClass = kSizeClasses;

// The class that holds `size_bytes`, or kOversizeClass.
constexpr uint8_t SizeClassOf(size_t size_bytes) {
  if (size_bytes <= kSmallestBlock) return 0;
  const int shift = std::bit_width((size_bytes - 1) / kSmallestBlock);
  return shift < kSizeClasses ? static_cast<uint8_t>(shift) : kOversizeClass;
}

// Bytes in a block of the class; 0 for kOversizeClass.
constexpr size_t BlockBytes(uint8_t size_class) {
  return size_class < kSizeClasses ? kSmallestBlock << size_class : 0;
}

// Blocks in a full magazine of the class: 4 KiB worth, but at least four.
constexpr uint32_t MagazineBlocks(uint8_t size_class) {
  const uint32_t blocks = 64u >> size_class;
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
