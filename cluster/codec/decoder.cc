#include "troupe/cluster/codec/decoder.h"

#include "absl/strings/str_cat.h"

namespace troupe {

uint64_t Decoder::ReadLongVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) {
      FailShort("a number", 1);
      return 0;
    }
    const uint8_t byte = static_cast<uint8_t>(*at_++);
    // The tenth byte has room for one bit of the 64.
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  Fail("a number has more than 64 bits");
  return 0;
}

void Decoder::Fail(absl::string_view what) {
  if (!ok()) return;
  failure_ = absl::StrCat("at byte ", at_ - begin_, ": ", what);
  at_ = end_;
}

void Decoder::FailShort(absl::string_view what, uint64_t size) {
  Fail(absl::StrCat(what, " of ", size, size == 1 ? " byte" : " bytes",
                    " is expected, but there are ", left(), " left"));
}

void Decoder::FailTooDeep() {
  Fail(absl::StrCat("values lie more than ", kMaxDepth,
                    " deep within each other"));
}

void Decoder::FailMemory(size_t wanted) {
  Fail(absl::StrCat("it asks for memory for ", wanted,
                    " more, but what was "
                    "sent allows ",
                    memory_, " bytes"));
}

absl::Status Decoder::status() const {
  return ok() ? absl::OkStatus() : absl::DataLossError(failure_);
}

}  // namespace troupe
