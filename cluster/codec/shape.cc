#include "troupe/cluster/codec/shape.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "troupe/cluster/codec/limits.h"

namespace troupe {
namespace {

// Both shapes, from left to right.
class Comparison {
 public:
  Comparison(absl::string_view ours, absl::string_view theirs)
      : ours_(ours), theirs_(theirs) {}

  absl::Status Run() {
    if (!Same(0) || ours_at_ != ours_.size() || theirs_at_ != theirs_.size()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the shapes differ: here ", Marked(ours_, ours_at_),
                       ", there ", Marked(theirs_, theirs_at_)));
    }
    return absl::OkStatus();
  }

 private:
  // "(i>>s)": with a mark where the difference is.
  static std::string Marked(absl::string_view shape, size_t at) {
    return absl::StrCat("\"", shape.substr(0, at), ">>", shape.substr(at),
                        "\"");
  }

  static absl::string_view Rest(absl::string_view shape, size_t at) {
    return shape.substr(at);
  }

  // Passes over a type whose parts are the same in both; stops at the place
  // where they are not.
  bool Same(int depth) {
    if (depth > kMaxDepth || AtEnd()) return false;
    const char head = ours_[ours_at_];
    if (head == '~' || theirs_[theirs_at_] == '~') return SkipBoth(depth);
    if (head != theirs_[theirs_at_]) return false;
    switch (head) {
      case '(':
        return SameFields(depth);
      case '[':
      case '{':
      case '<':
        return SameParts(depth, head == '[' ? ']' : head == '{' ? '}' : '>');
      case '?':
        Advance();
        return Same(depth + 1);
      case '"':
        return SameName();
      case 'i':
      case 'u':
      case 'f':
        return SameNumber();
      case 'b':
      case 's':
      case '@':
      case '^':
        Advance();
        return true;
      default:
        return false;
    }
  }

  // Both are within brackets that end with `close`.
  bool SameParts(int depth, char close) {
    Advance();
    while (!AtEnd()) {
      const bool end = ours_[ours_at_] == close;
      if (end != (theirs_[theirs_at_] == close)) return false;
      if (end) {
        Advance();
        return true;
      }
      if (!Same(depth + 1)) return false;
    }
    return false;
  }

  bool SameFields(int depth) {
    Advance();
    while (!AtEnd()) {
      const bool ours_end = ours_[ours_at_] == ')';
      const bool theirs_end = theirs_[theirs_at_] == ')';
      if (ours_end || theirs_end) {
        return SkipFields(ours_, ours_at_, depth) &&
               SkipFields(theirs_, theirs_at_, depth);
      }
      if (!Same(depth + 1)) return false;
    }
    return false;
  }

  bool SameName() {
    const size_t ours_end = ours_.find('"', ours_at_ + 1);
    const size_t theirs_end = theirs_.find('"', theirs_at_ + 1);
    if (ours_end == absl::string_view::npos ||
        theirs_end == absl::string_view::npos ||
        ours_.substr(ours_at_, ours_end - ours_at_) !=
            theirs_.substr(theirs_at_, theirs_end - theirs_at_)) {
      return false;
    }
    ours_at_ = ours_end + 1;
    theirs_at_ = theirs_end + 1;
    return true;
  }

  bool SameNumber() {
    Advance();
    const bool ours_fixed = IsDigit(ours_, ours_at_);
    if (ours_fixed != IsDigit(theirs_, theirs_at_)) return false;
    if (!ours_fixed) return true;
    while (IsDigit(ours_, ours_at_) && IsDigit(theirs_, theirs_at_)) {
      if (ours_[ours_at_] != theirs_[theirs_at_]) return false;
      Advance();
    }
    return !IsDigit(ours_, ours_at_) && !IsDigit(theirs_, theirs_at_);
  }

  // Passes over one type of each.
  bool SkipBoth(int depth) {
    return Skip(ours_, ours_at_, depth) && Skip(theirs_, theirs_at_, depth);
  }

  static bool SkipFields(absl::string_view shape, size_t& at, int depth) {
    while (at < shape.size() && shape[at] != ')') {
      if (!Skip(shape, at, depth + 1)) return false;
    }
    if (at == shape.size()) return false;
    ++at;
    return true;
  }

  static bool Skip(absl::string_view shape, size_t& at, int depth) {
    if (depth > kMaxDepth || at >= shape.size()) return false;
    const char head = shape[at];
    switch (head) {
      case '(':
      case '[':
      case '{':
      case '<': {
        const char close = head == '('   ? ')'
                           : head == '[' ? ']'
                           : head == '{' ? '}'
                                         : '>';
        ++at;
        while (at < shape.size() && shape[at] != close) {
          if (!Skip(shape, at, depth + 1)) return false;
        }
        if (at == shape.size()) return false;
        ++at;
        return true;
      }
      case '?':
        ++at;
        return Skip(shape, at, depth + 1);
      case '"': {
        const size_t end = shape.find('"', at + 1);
        if (end == absl::string_view::npos) return false;
        at = end + 1;
        return true;
      }
      case 'i':
      case 'u':
      case 'f':
        ++at;
        while (IsDigit(shape, at)) ++at;
        return true;
      case 'b':
      case 's':
      case '@':
      case '^':
      case '~':
        ++at;
        return true;
      default:
        return false;
    }
  }

  static bool IsDigit(absl::string_view shape, size_t at) {
    return at < shape.size() && shape[at] >= '0' && shape[at] <= '9';
  }
  bool AtEnd() const {
    return ours_at_ >= ours_.size() || theirs_at_ >= theirs_.size();
  }
  void Advance() {
    ++ours_at_;
    ++theirs_at_;
  }

  const absl::string_view ours_;
  const absl::string_view theirs_;
  size_t ours_at_ = 0;
  size_t theirs_at_ = 0;
};

}  // namespace

absl::Status CompareShapes(absl::string_view ours, absl::string_view theirs) {
  return Comparison(ours, theirs).Run();
}

}  // namespace troupe
