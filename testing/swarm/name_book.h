// Invariant "names lead to their owners" (§31): each name to the one that took
// it, for as long as that lives, and to nobody of whose end one has heard.
#ifndef TROUPE_TESTING_SWARM_NAME_BOOK_H_
#define TROUPE_TESTING_SWARM_NAME_BOOK_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "troupe/registry/names.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"
#include "troupe/testing/swarm/order.h"

namespace troupe::swarm {

class NameBook {
 public:
  static constexpr std::string_view kName = "names lead to their owners";
  static constexpr size_t kNames = 6;

  NameBook(Journal& journal, const Lives& lives, const Order& order)
      : journal_(journal), lives_(lives), order_(order) {}

  static std::string Spelled(size_t name);

  void Taken(size_t name, Number by);
  void GivenBack(size_t name, Number by, bool had_it);
  // `finder` asks, and is told `found`.
  void Found(size_t name, Number finder, Number found);

  void CheckAtRest(const Names& names);

 private:
  void Break(size_t name, Number number, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  const Order& order_;
  std::array<Number, kNames> owners_ = {};
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_NAME_BOOK_H_
