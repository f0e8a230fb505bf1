// Choosing one of the members of a group: in one of the ways of GroupPick, or
// by a key.
//
// By a key it is rendezvous hashing (D. Thaler, C. Ravishankar: "Using
// name-based mappings to increase hit rates", IEEE/ACM Transactions on
// Networking 6(1), 1998): every member gets a score for the key, and the
// highest wins. A key moves only if the member that has it leaves, or if one
// that joins outbids it: the least that can move, with keys spread evenly. A
// ring of hashes would find the member in fewer steps, but needs a hundred
// points for each member to spread as evenly, and to be made anew with each
// change; scores take 1 ns for each member and keep nothing.
//
//   const GroupView<Shard>& view = ...;
//   const Shard& shard = view.members()[PickByKey(view.numbers(), "alice")];
//
// The same in every run and on every machine.
// Thread safety: any thread.
#ifndef TROUPE_REGISTRY_GROUP_PICK_H_
#define TROUPE_REGISTRY_GROUP_PICK_H_

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace troupe {

// How one member is picked. By memberships, where one has several.
enum class GroupPick : uint8_t {
  kRandom,      // Each as likely; the system's seed decides.
  kRoundRobin,  // One after the other, whoever picks.
  kLocalFirst,  // Any one of this node; if there is none, any one.
};

// What is chosen by: text, or a number. Made where it is passed.
class GroupKey {
 public:
  template <std::convertible_to<absl::string_view> Text>
  // NOLINTNEXTLINE(google-explicit-constructor)
  GroupKey(const Text& text) : hash_(HashOf(absl::string_view(text))) {}
  template <std::integral Number>
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr GroupKey(Number number) : hash_(static_cast<uint64_t>(number)) {}

  constexpr uint64_t hash() const { return hash_; }

 private:
  static uint64_t HashOf(absl::string_view text);

  uint64_t hash_;
};

// Which of the members with these numbers has `key`. REQUIRES: there are some.
size_t PickByKey(absl::Span<const uint64_t> numbers, GroupKey key);

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_PICK_H_
