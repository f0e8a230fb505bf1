// Any bytes, read as messages of types that have everything in them: a value or
// an error, within the memory that is granted; and a value has bytes from which
// the same bytes come again.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/cluster/codec/shape.h"

namespace {

thread_local size_t allocated = 0;

}  // namespace

void* operator new(size_t size) {
  allocated += size;
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocated += size;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe {
namespace {

enum class Color : uint8_t { kRed = 1, kBlue = 200 };

// By functions: a list within the initializer of a field of a field is more
// than g++ 12 can compile where an aggregate's fields are counted.
std::set<std::string> OneWord() { return {"one"}; }
std::map<int, std::string> OneNumber() { return {{1, "one"}}; }

struct Numbers {
  bool flag = false;
  char letter = 0;
  int8_t tiny = 0;
  uint16_t small = 0;
  int32_t number = 0;
  uint64_t large = 0;
  float real = 0;
  double precise = 0;
  absl::int128 huge = 0;
  absl::uint128 unsigned_huge = 0;
  Color color = Color::kRed;
};

struct Texts {
  std::string text = "as it is without";
  absl::Cord cord;
  std::vector<std::byte> bytes;
  std::vector<std::string> list = std::vector<std::string>(3, "as it is");
};

struct Containers {
  std::vector<int16_t> raw = std::vector<int16_t>(2, 1);
  std::vector<bool> bits;
  std::deque<double> deque;
  std::list<Color> list;
  absl::InlinedVector<uint32_t, 2> inlined;
  std::array<int, 3> array = {};
  std::set<std::string> set = OneWord();
  std::multiset<int> multiset;
  std::unordered_set<double> hashed;
  std::map<int, std::string> map = OneNumber();
  std::unordered_map<std::string, Numbers> hashed_map;
  absl::flat_hash_map<int64_t, bool> flat;
  std::map<double, int> by_real;
};

struct Alternatives {
  std::optional<std::string> maybe = "perhaps";
  std::variant<std::monostate, int, std::string, Texts> either;
  std::pair<int, std::string> pair;
  std::tuple<uint8_t, std::optional<bool>, Color> tuple;
  std::unique_ptr<Alternatives> more;
};

struct Outcomes {
  absl::Status status;
  absl::StatusOr<int> value = 0;
  absl::Duration duration;
  absl::Time time;
  std::chrono::milliseconds milliseconds{};
};

struct Chain {
  std::unique_ptr<Chain> next;
  std::vector<Chain> others;
};

struct Everything {
  Numbers numbers;
  Texts texts;
  Containers containers;
  Alternatives alternatives;
  Outcomes outcomes;
  Chain chain;
};

// Null: it is refused.
template <typename T>
std::unique_ptr<T> Read(absl::string_view bytes) {
  auto value = std::make_unique<T>();
  const size_t before = allocated;
  Decoder in(bytes);
  const absl::Status status = Decode(in, *value);
  const size_t granted = kMemoryBase + kMemoryPerByte * bytes.size();
  // The text of an error is ours.
  EXPECT_LE(allocated - before, granted + (status.ok() ? 0 : 4096));
  if (status.ok()) return value;
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  return nullptr;
}

template <typename T>
std::string Write(const T& value) {
  Encoder out;
  Encode(value, out);
  EXPECT_TRUE(out.ok()) << out.status();
  return std::string(out.bytes());
}

template <typename T>
void Check(absl::string_view bytes) {
  const std::unique_ptr<T> value = Read<T>(bytes);
  if (value == nullptr) return;
  const std::string written = Write(*value);
  const std::unique_ptr<T> again = Read<T>(written);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(Write(*again), written);
}

using Checker = void (*)(absl::string_view bytes);

constexpr Checker kCheckers[] = {
    &Check<Everything>,
    &Check<Numbers>,
    &Check<Texts>,
    &Check<Containers>,
    &Check<Alternatives>,
    &Check<Outcomes>,
    &Check<Chain>,
    &Check<std::vector<std::vector<std::string>>>,
    &Check<std::map<std::string, Alternatives>>,
};

}  // namespace
}  // namespace troupe

// The first byte says which type the others are of.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  troupe::kCheckers[data[0] % std::size(troupe::kCheckers)](
      absl::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}
