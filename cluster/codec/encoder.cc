#include "troupe/cluster/codec/encoder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kFirstCapacity = 256;
// What an encoder keeps for its next message at most.
constexpr size_t kKeptCapacity = size_t{1} << 20;

}  // namespace

bool Encoder::Grow(size_t bytes) {
  if (is_over_limit_ || bytes > limit_ || size_ > limit_ - bytes) {
    return GiveUp();
  }
  const size_t capacity =
      std::max({kFirstCapacity, 2 * capacity_, size_ + bytes});
  // Not value-initialized: it is written before it is read.
  std::unique_ptr<char[]> grown(new char[capacity]);
  if (size_ != 0) std::memcpy(grown.get(), buffer_.get(), size_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
  return true;
}

bool Encoder::GiveUp() {
  if (ok()) {
    is_over_limit_ = true;
    status_ = absl::ResourceExhaustedError(
        absl::StrCat("it has more than ", limit_, " bytes"));
  }
  // What is written from here on has the same places again and again.
  size_ = 0;
  if (capacity_ < kFirstCapacity) {
    buffer_.reset(new char[kFirstCapacity]);
    capacity_ = kFirstCapacity;
  }
  return false;
}

void Encoder::SetLongLength(size_t begin, size_t length) {
  if (!ok()) return;  // What began there may be given up.
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
  if (char* const to = Claim(padding)) std::memset(to, 0, padding);
}

void Encoder::Clear() {
  if (capacity_ > kKeptCapacity) {
    buffer_.reset();
    capacity_ = 0;
  }
  size_ = 0;
  memory_ = 0;
  depth_ = 0;
  is_over_limit_ = false;
  status_ = absl::OkStatus();
}

void Encoder::FailTooDeep() {
  Fail(absl::InvalidArgumentError(
      absl::StrCat("values lie more than ", kMaxDepth,
                   " deep within each other; send references to them, or a "
                   "flat list")));
}

}  // namespace troupe
