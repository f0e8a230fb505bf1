// Reads what an Encoder wrote, and trusts none of it.
//
//   Decoder in(bytes);
//   const uint64_t number = in.ReadVarint();
//   const absl::string_view name = in.ReadBytes();   // Lies within `bytes`.
//   if (!in.ok()) return in.status();
//
// Errors: the first failure stays. From then on nothing is left to read, and
// whatever is read is 0 or empty: who reads need look only at the end. The
// status is kDataLoss, and names the place and what was wrong there.
// Memory: whoever allocates for what is read asks TakeMemory() first; a decoder
// grants kMemoryBase and kMemoryPerByte for each byte of its input.
// Ownership: none; the input must outlive the decoder and what lies within it.
// Thread safety: none.
#ifndef TROUPE_CLUSTER_CODEC_DECODER_H_
#define TROUPE_CLUSTER_CODEC_DECODER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/limits.h"

namespace troupe {

class RefReader;

class Decoder {
 public:
  // `refs` reads references to actors; without it they cannot be read.
  explicit Decoder(absl::string_view input, RefReader* refs = nullptr)
      : begin_(input.data()),
        at_(input.data()),
        end_(input.data() + input.size()),
        memory_(kMemoryBase + kMemoryPerByte * input.size()),
        refs_(refs) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  uint8_t ReadByte() {
    if (at_ == end_) [[unlikely]] {
      FailShort("a byte", 1);
      return 0;
    }
    return static_cast<uint8_t>(*at_++);
  }
  uint64_t ReadVarint() {
    if (at_ != end_ && static_cast<uint8_t>(*at_) < 0x80) [[likely]]
      return static_cast<uint8_t>(*at_++);
    return ReadLongVarint();
  }
  int64_t ReadSigned() {
    const uint64_t value = ReadVarint();
    return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
  }
  template <typename T>
  T ReadFixed() {
    T value{};
    ReadRaw(&value, sizeof(T));
    return value;
  }
  // Zeroes where the input ends too early.
  void ReadRaw(void* to, size_t size) {
    if (left() < size) [[unlikely]] {
      FailShort("a value", size);
      std::memset(to, 0, size);
      return;
    }
    if (size != 0) std::memcpy(to, at_, size);
    at_ += size;
  }
  absl::string_view ReadBytes() {
    const uint64_t size = ReadVarint();
    if (left() < size) [[unlikely]] {
      FailShort("a string", size);
      return {};
    }
    const absl::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }
  // All that is left, which lies within the input.
  absl::string_view ReadRest() {
    const absl::string_view rest(at_, left());
    at_ = end_;
    return rest;
  }
  // How many elements follow, each of which has at least one byte.
  size_t ReadCount() {
    const uint64_t count = ReadVarint();
    if (left() < count) [[unlikely]] {
      FailShort("a list", count);
      return 0;
    }
    return count;
  }

  // Calls `read(*this)` for what WriteSized() wrote; within it, the input ends
  // where that does. What it does not read is passed over.
  template <typename F>
  void ReadSized(F&& read) {
    const absl::string_view part = ReadBytes();
    if (!Enter()) return;
    const char* const end = end_;
    at_ = part.data();
    end_ = part.data() + part.size();
    read(*this);
    Leave();
    if (!ok()) return;
    at_ = part.data() + part.size();
    end_ = end;
  }

  // As Encoder::Enter(). False also if something had failed before.
  bool Enter() {
    if (!ok()) [[unlikely]]
      return false;
    if (depth_ == kMaxDepth) [[unlikely]] {
      FailTooDeep();
      return false;
    }
    ++depth_;
    return true;
  }
  void Leave() { --depth_; }

  // Whether so many bytes may be allocated.
  bool TakeMemory(size_t bytes) {
    if (memory_ < bytes) [[unlikely]] {
      FailMemory(bytes);
      return false;
    }
    memory_ -= bytes;
    return true;
  }
  // The same for `count` elements.
  bool TakeMemory(size_t count, size_t bytes_each) {
    if (count > memory_ / bytes_each) [[unlikely]] {
      FailMemory(count);
      return false;
    }
    return TakeMemory(count * bytes_each);
  }

  RefReader* refs() const { return refs_; }

  // Bytes that are left to read.
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool AtEnd() const { return at_ == end_; }

  // `what`: such as "the number 300 is no uint8".
  void Fail(absl::string_view what);
  bool ok() const { return failure_.empty(); }
  absl::Status status() const;

 private:
  uint64_t ReadLongVarint();
  void FailShort(absl::string_view what, uint64_t size);
  void FailTooDeep();
  void FailMemory(size_t wanted);

  const char* const begin_;
  const char* at_;
  const char* end_;
  size_t memory_;
  int depth_ = 0;
  RefReader* const refs_;
  std::string failure_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_DECODER_H_
