#include "troupe/cluster/codec/encoder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kFirstCapacity = 256;
// What an encoder keeps for its next message at most.
constexpr size_t kKeptCapacity = size_t{1} << 20;

}  // namespace

void Encoder::Grow(size_t bytes) {
  const size_t capacity =
      std::max({kFirstCapacity, 2 * capacity_, size_ + bytes});
  // Not value-initialized: it is written before it is read.
  std::unique_ptr<char[]> grown(new char[capacity]);
  if (size_ != 0) std::memcpy(grown.get(), buffer_.get(), size_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
}

void Encoder::SetLongLength(size_t begin, size_t length) {
  char varint[kMaxVarintBytes];
  size_t width = 0;
  for (size_t rest = length; rest != 0 || width == 0; rest >>= 7) {
    varint[width++] =
        static_cast<char>((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
  }
  Extend(width - 1);
  char* const at = buffer_.get() + begin;
  std::memmove(at + width, at + 1, length);
  std::memcpy(at, varint, width);
}

void Encoder::PadForMemory() {
  const size_t allowed = kMemoryBase + kMemoryPerByte * size_;
  if (memory_ <= allowed) return;
  const size_t padding =
      (memory_ - allowed + kMemoryPerByte - 1) / kMemoryPerByte;
  std::memset(Extend(padding), 0, padding);
}

void Encoder::Clear() {
  if (capacity_ > kKeptCapacity) {
    buffer_.reset();
    capacity_ = 0;
  }
  size_ = 0;
  memory_ = 0;
  depth_ = 0;
  status_ = absl::OkStatus();
}

void Encoder::FailTooDeep() {
  Fail(absl::InvalidArgumentError(
      absl::StrCat("values lie more than ", kMaxDepth,
                   " deep within each other; send references to them, or a "
                   "flat list")));
}

}  // namespace troupe
