// Shapes: any two texts, up to the first newline and behind it, are compared,
// and so are the trees that a parser of another make builds of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {
namespace {

// A type: what it is called and what it consists of.
struct Tree {
  std::string head;  // A bracket, "?", a number with its width, ...
  std::vector<Tree> parts = {};
};

// Nothing: the text does not begin with a type.
std::optional<Tree> Parse(absl::string_view& text, int depth) {
  if (text.empty() || depth > kMaxDepth) return std::nullopt;
  const char head = text.front();
  size_t width = 1;
  if (head == '"') {
    const size_t end = text.find('"', 1);
    if (end == absl::string_view::npos) return std::nullopt;
    width = end + 1;
  } else if (head == 'i' || head == 'u' || head == 'f') {
    while (width < text.size() && text[width] >= '0' && text[width] <= '9') {
      ++width;
    }
  } else if (!absl::StrContains("bs@^~?([{<", head)) {
    return std::nullopt;
  }
  Tree tree{std::string(text.substr(0, width))};
  text.remove_prefix(width);
  const size_t bracket = absl::string_view("([{<").find(head);
  if (head != '?' && bracket == absl::string_view::npos) return tree;
  while (head == '?' ? tree.parts.empty()
                     : !text.empty() && text.front() != ")]}>"[bracket]) {
    std::optional<Tree> part = Parse(text, depth + 1);
    if (!part.has_value()) return std::nullopt;
    tree.parts.push_back(*std::move(part));
  }
  if (head != '?') {
    if (text.empty()) return std::nullopt;
    text.remove_prefix(1);
  }
  return tree;
}

std::optional<Tree> ParseWhole(absl::string_view text) {
  std::optional<Tree> tree = Parse(text, 0);
  return text.empty() ? tree : std::nullopt;
}

bool Agree(const Tree& a, const Tree& b) {
  if (a.head == "~" || b.head == "~") return true;
  if (a.head != b.head) return false;
  const size_t common = std::min(a.parts.size(), b.parts.size());
  if (a.head != "(" && a.parts.size() != b.parts.size()) return false;
  for (size_t i = 0; i < common; ++i) {
    if (!Agree(a.parts[i], b.parts[i])) return false;
  }
  return true;
}

void Check(absl::string_view a, absl::string_view b) {
  const std::optional<Tree> tree_a = ParseWhole(a);
  const std::optional<Tree> tree_b = ParseWhole(b);
  const bool agree =
      tree_a.has_value() && tree_b.has_value() && Agree(*tree_a, *tree_b);
  const absl::Status compared = CompareShapes(a, b);
  EXPECT_EQ(compared.ok(), agree) << compared;
  if (!compared.ok()) {
    EXPECT_EQ(compared.code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(CompareShapes(b, a).ok(), compared.ok());
  EXPECT_EQ(CompareShapes(a, a).ok(), tree_a.has_value());
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t newline = std::min(input.find('\n'), input.size());
  troupe::Check(input.substr(0, newline),
                input.substr(std::min(newline + 1, input.size())));
  return 0;
}
