// The bytes of a fuzz test, read as choices: a program for what is tested.
//
//   extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
//     FuzzInput input(data, size);
//     while (!input.empty()) {
//       const uint32_t entry = input.Uniform(50);
//       ...
//     }
//     return 0;
//   }
//
// Has what worlds ask of a Random, so that one world can be played by seeds and
// by bytes; but a byte decides little at a time, so that a change of one byte
// changes one choice and leaves the others where they are.
//
// Errors: an input that is used up goes on with zeroes.
// Ownership: none; the bytes outlive it.
// Thread safety: none.
#ifndef TROUPE_TOOLS_FUZZ_INPUT_H_
#define TROUPE_TOOLS_FUZZ_INPUT_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace troupe {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size)
      : left_(reinterpret_cast<const char*>(data), size) {}
  FuzzInput(const FuzzInput&) = delete;
  FuzzInput& operator=(const FuzzInput&) = delete;

  bool empty() const { return left_.empty(); }

  uint8_t Byte() {
    if (left_.empty()) return 0;
    const char byte = left_.front();
    left_.remove_prefix(1);
    return static_cast<uint8_t>(byte);
  }

  // A number below `bound`, of as few bytes as can say all of them.
  // REQUIRES: bound > 0
  uint64_t Uniform(uint64_t bound) {
    uint64_t number = 0;
    for (uint64_t rest = bound - 1; rest != 0; rest >>= 8) {
      number = number << 8 | Byte();
    }
    return number % bound;
  }

  // Eight bytes.
  uint64_t NextUint64() {
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return number;
  }

  // As likely as said if the next byte is any; false at the end.
  bool Bernoulli(double probability) {
    return !empty() && Byte() < 256 * probability;
  }

  // A length of one byte, then so many bytes, as far as there are.
  absl::string_view Text() { return Take(Byte()); }

  // The next `size` bytes, as far as there are.
  absl::string_view Take(size_t size) {
    const absl::string_view taken = left_.substr(0, size);
    left_.remove_prefix(taken.size());
    return taken;
  }

  absl::string_view TakeAll() { return Take(left_.size()); }

 private:
  absl::string_view left_;
};

}  // namespace troupe

#endif  // TROUPE_TOOLS_FUZZ_INPUT_H_
