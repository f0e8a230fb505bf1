// Writes values as bytes, in the form that Decoder reads.
//
//   Encoder out;
//   out.WriteVarint(7);
//   out.WriteBytes("seven");          // Their number, then they.
//   Send(out.bytes());
//
// Numbers: a varint has 7 bits in each byte, the lowest first, and 1 to 10
// bytes (LEB128); what has a fixed width is little-endian.
//
// Memory: what a decoder will allocate for what is written is counted, so that
// PadForMemory() can see to it that the decoder may: see kMemoryPerByte.
// Ownership: of the bytes.
// Thread safety: none.
// Errors: the first failure stays, and is status(); what is written afterwards
// is of no use.
#ifndef TROUPE_CLUSTER_CODEC_ENCODER_H_
#define TROUPE_CLUSTER_CODEC_ENCODER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/limits.h"

namespace troupe {

class RefWriter;

static_assert(std::endian::native == std::endian::little,
              "fixed widths are copied as they lie in memory");

class Encoder {
 public:
  // `refs` writes references to actors; without it they cannot be written.
  explicit Encoder(RefWriter* refs = nullptr) : refs_(refs) {}

  void WriteByte(uint8_t byte) { *Extend(1) = static_cast<char>(byte); }
  void WriteVarint(uint64_t value) {
    char* to = Room(kMaxVarintBytes);
    char* const begin = to;
    while (value >= 0x80) {
      *to++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *to++ = static_cast<char>(value);
    size_ += static_cast<size_t>(to - begin);
  }
  // As a varint in which small negative numbers are short, too.
  void WriteSigned(int64_t value) {
    WriteVarint((static_cast<uint64_t>(value) << 1) ^
                static_cast<uint64_t>(value >> 63));
  }
  // The bytes of a T as they lie in memory.
  template <typename T>
  void WriteFixed(T value) {
    WriteRaw(&value, sizeof(T));
  }
  // Room for `size` bytes, which the caller writes before all else. Null: that
  // is over the limit, and nothing is to be written.
  char* Claim(size_t size) { return HasRoom(size) ? Extend(size) : nullptr; }
  void WriteRaw(const void* data, size_t size) {
    if (size != 0 && HasRoom(size)) std::memcpy(Extend(size), data, size);
  }
  void WriteBytes(absl::string_view bytes) {
    WriteVarint(bytes.size());
    WriteRaw(bytes.data(), bytes.size());
  }

  // Writes what `write(*this)` writes, after its length: a reader that does not
  // know all of it can pass over the rest.
  template <typename F>
  void WriteSized(F&& write) {
    if (!Enter()) return;
    const size_t begin = size_;
    WriteByte(0);
    write(*this);
    SetLength(begin);
    Leave();
  }

  // Values that contain values do so at most kMaxDepth deep. False: this one is
  // too deep, and that is the status().
  bool Enter() {
    if (depth_ == kMaxDepth) [[unlikely]] {
      FailTooDeep();
      return false;
    }
    ++depth_;
    return true;
  }
  void Leave() { --depth_; }

  // A decoder of what is written will allocate so many bytes.
  void CountMemory(size_t bytes) { memory_ += bytes; }
  // Pads a message that ends here, so that its decoder may allocate what it
  // needs. Readers pass over the padding, as over fields that they do not know.
  void PadForMemory();

  RefWriter* refs() const { return refs_; }

  // Of what gets longer than that no more is written, as far as that spares
  // memory: who only wants to know whether it is short finds out cheaply. For
  // all that is written from here on.
  void SetLimit(size_t bytes) { limit_ = bytes; }
  // That was why it has failed.
  bool is_over_limit() const { return is_over_limit_; }

  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

  size_t size() const { return size_; }
  absl::string_view bytes() const {
    return absl::string_view(buffer_.get(), size_);
  }
  // Begins anew, with the memory kept, unless it is much.
  void Clear();

 private:
  // Where `bytes`, a few, may be written behind what there is.
  char* Room(size_t bytes) {
    if (capacity_ - size_ < bytes) [[unlikely]]
      (void)Grow(bytes);
    return buffer_.get() + size_;
  }
  bool HasRoom(size_t bytes) {
    if (capacity_ - size_ < bytes) [[unlikely]]
      return Grow(bytes);
    return true;
  }
  char* Extend(size_t bytes) {
    char* const to = Room(bytes);
    size_ += bytes;
    return to;
  }
  // False: it would be over the limit. What was written is given up then, and
  // there is room for a few bytes.
  bool Grow(size_t bytes);
  bool GiveUp();
  // Writes, in the byte at `begin`, how much there is behind it; moves that if
  // the length has more than one byte.
  void SetLength(size_t begin) {
    const size_t length = size_ - begin - 1;
    if (length >= 0x80) [[unlikely]]
      return SetLongLength(begin, length);
    buffer_[begin] = static_cast<char>(length);
  }
  void SetLongLength(size_t begin, size_t length);
  void FailTooDeep();

  std::unique_ptr<char[]> buffer_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t memory_ = 0;
  size_t limit_ = std::numeric_limits<size_t>::max();
  int depth_ = 0;
  bool is_over_limit_ = false;
  RefWriter* const refs_;
  absl::Status status_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_ENCODER_H_
