// Messages in parts: parts of any numbers come in any order, as from a peer
// that may make no sense, and a model says what becomes of each.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/cluster/internal/pieces.h"
#include "troupe/cluster/internal/reassembly.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe::internal {
namespace {

constexpr uint64_t kMaxBytes = 64;

// All parts that came, and how many bytes the whole was to have.
class Model {
 public:
  absl::StatusCode Add(uint64_t number, uint64_t left, absl::string_view part,
                       std::optional<std::string>& whole) {
    if (part.empty()) return absl::StatusCode::kDataLoss;
    const auto found = wholes_.find(number);
    if (found == wholes_.end()) {
      if (number <= newest_) return absl::StatusCode::kDataLoss;
      // As real numbers, which do not wrap.
      const long double promised = static_cast<long double>(Promised()) +
                                   static_cast<long double>(left) +
                                   static_cast<long double>(part.size());
      if (promised > kMaxBytes) return absl::StatusCode::kResourceExhausted;
      newest_ = number;
      wholes_[number] = {std::string(part), part.size() + left};
    } else {
      Whole& so_far = found->second;
      if (so_far.bytes.size() + part.size() > so_far.size ||
          left != so_far.size - so_far.bytes.size() - part.size()) {
        return absl::StatusCode::kDataLoss;
      }
      so_far.bytes += std::string(part);
    }
    if (left == 0) {
      whole = wholes_[number].bytes;
      wholes_.erase(number);
    }
    return absl::StatusCode::kOk;
  }
  void Abandon(uint64_t number) { wholes_.erase(number); }
  uint64_t Promised() const {
    uint64_t bytes = 0;
    for (const auto& [number, whole] : wholes_) bytes += whole.size;
    return bytes;
  }

 private:
  struct Whole {
    std::string bytes;
    uint64_t size = 0;
  };
  uint64_t newest_ = 0;
  std::map<uint64_t, Whole> wholes_;
};

void Play(FuzzInput& input) {
  Reassembly parts(kMaxBytes);
  Model model;
  while (!input.empty()) {
    const uint64_t number = input.Uniform(8);
    const uint64_t choice = input.Uniform(256);
    if (choice == 255) {
      parts.Abandon(number);
      model.Abandon(number);
    } else {
      const uint64_t left = choice < 200 ? choice % 70 : input.NextUint64();
      const absl::string_view part = input.Take(input.Uniform(32));
      std::optional<std::string> expected;
      const absl::StatusCode code = model.Add(number, left, part, expected);
      absl::StatusOr<std::optional<Pieces>> whole =
          parts.Add(number, left, part);
      ASSERT_EQ(whole.status().code(), code) << whole.status();
      if (whole.ok()) {
        ASSERT_EQ(whole->has_value(), expected.has_value());
      }
      if (expected.has_value()) {
        ASSERT_EQ((*whole)->size(), expected->size());
        ASSERT_EQ((**std::move(whole)).Join(), *expected);
      }
    }
    ASSERT_EQ(parts.promised_bytes(), model.Promised());
    ASSERT_EQ(parts.empty(), model.Promised() == 0);
    ASSERT_LE(parts.promised_bytes(), kMaxBytes);
  }
}

}  // namespace
}  // namespace troupe::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::Play(input);
  return 0;
}
