#include "troupe/testing/swarm/name_book.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace troupe::swarm {

std::string NameBook::Spelled(size_t name) {
  return absl::StrCat(name % 2 == 0 ? "town/" : "", "name", name);
}

void NameBook::Taken(size_t name, Number by) {
  const Number before = owners_[name];
  if (before != 0 && before != by && lives_.is_alive(before)) {
    Break(name, before, "a name has one owner");
  }
  owners_[name] = by;
  journal_.Note(What::kTakesName, by, 0, name);
}

void NameBook::GivenBack(size_t name, Number by, bool had_it) {
  journal_.Note(What::kGivesName, by, 0, name);
  if (had_it != (owners_[name] == by)) {
    Break(name, by, "who has a name gives it back, and nobody else");
  }
  if (had_it) owners_[name] = 0;
}

void NameBook::Found(size_t name, Number finder, Number found) {
  if (order_.HasHeardOfEnd(found, finder)) {
    Break(name, found, "nobody finds one of whose end it has heard");
  }
}

void NameBook::CheckAtRest(const Names& names) {
  std::array<Number, kNames> listed = {};
  for (const Names::Entry& entry : names.ListAll()) {
    for (size_t name = 0; name < kNames; ++name) {
      if (entry.name != Spelled(name)) continue;
      listed[name] = lives_.NumberOf(entry.actor.id());
      if (lives_.has_ended(listed[name])) {
        Break(name, listed[name], "a name is free when its owner has ended");
      }
    }
  }
  for (size_t name = 0; name < kNames; ++name) {
    Number& owner = owners_[name];
    if (owner != 0 && !lives_.is_alive(owner)) owner = 0;
    if (owner != listed[name]) {
      Break(name, owner, "a name leads to the one that took it");
    }
  }
}

void NameBook::Break(size_t name, Number number, std::string_view rule) {
  journal_.Break(kName,
                 absl::StrCat("'", Spelled(name), "' of #", number, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
