// Invariant "groups have their members" (§32): those who have joined, as often
// as they have and have not left, and nobody who has ended. What is sent to all
// is handled by each, or a dead letter.
#ifndef TROUPE_TESTING_SWARM_GROUP_BOOK_H_
#define TROUPE_TESTING_SWARM_GROUP_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class GroupBook {
 public:
  static constexpr std::string_view kName = "groups have their members";
  static constexpr size_t kGroups = 3;

  GroupBook(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives) {}

  void Joined(size_t group, Number member);
  void Left(size_t group, Number member, size_t times);
  // So many members took what was sent to all.
  void Sent(size_t members) { taken_ += members; }
  void Handled() { ++handled_; }
  void DeadLetter() { ++mourned_; }

  // `members`: as the group lists them; of actors that are none of ours, 0.
  void CheckAtRest(size_t group, absl::Span<const Number> members);
  void CheckAllAtRest();

 private:
  void Break(Number number, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  std::map<std::pair<size_t, Number>, int64_t> times_;
  uint64_t taken_ = 0;
  uint64_t handled_ = 0;
  uint64_t mourned_ = 0;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_GROUP_BOOK_H_
