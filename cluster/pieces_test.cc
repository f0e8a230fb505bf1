#include "troupe/cluster/internal/pieces.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  return bytes;
}

TEST(PiecesTest, PartsOfAllSizesComeBackInOrder) {
  const std::string all = Bytes(300'000);
  for (const size_t step : {1, 7, 4095, 4096, 4097, 65'500, 65'536, 300'000}) {
    Pieces pieces;
    for (size_t at = 0; at < all.size(); at += step) {
      pieces.Append(absl::string_view(all).substr(at, step));
    }
    EXPECT_EQ(pieces.size(), all.size());
    EXPECT_EQ(std::move(pieces).Join(), all) << step;
  }
}

TEST(PiecesTest, ShortAndLongPartsMayBeMixed) {
  const std::string all = Bytes(500'000);
  Pieces pieces;
  size_t at = 0;
  for (size_t i = 0; at < all.size(); ++i) {
    const size_t size =
        std::min(i % 3 == 0 ? size_t{65'536} : i, all.size() - at);
    pieces.Append(absl::string_view(all).substr(at, size));
    at += size;
  }
  EXPECT_EQ(std::move(pieces).Join(), all);
}

TEST(PiecesTest, NothingIsLeftOfWhatWasMovedOrJoined) {
  Pieces pieces;
  pieces.Append("some");
  Pieces moved = std::move(pieces);
  EXPECT_EQ(pieces.size(), 0);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(std::move(moved).Join(), "some");
  EXPECT_EQ(moved.size(), 0);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(std::move(moved).Join(), "");
}

}  // namespace
}  // namespace troupe::internal
