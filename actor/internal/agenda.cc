#include "troupe/actor/internal/agenda.h"

#include <utility>

namespace troupe::internal {

AgendaEntry* Agenda::Merge(AgendaEntry* a, AgendaEntry* b) {
  if (b->IsBefore(*a)) std::swap(a, b);
  // `b` becomes the first child of `a`.
  b->previous_ = a;
  b->next_sibling_ = a->first_child_;
  if (a->first_child_ != nullptr) a->first_child_->previous_ = b;
  a->first_child_ = b;
  return a;
}

AgendaEntry* Agenda::MergeSiblings(AgendaEntry* first) {
  // Merges pairs from left to right, then the pairs from right to left.
  AgendaEntry* pairs = nullptr;  // Linked by next_sibling_, the last one first.
  while (first != nullptr) {
    AgendaEntry* pair = std::exchange(first, first->next_sibling_);
    pair->previous_ = pair->next_sibling_ = nullptr;
    if (first != nullptr) {
      AgendaEntry* const second = std::exchange(first, first->next_sibling_);
      second->previous_ = second->next_sibling_ = nullptr;
      pair = Merge(pair, second);
    }
    pair->next_sibling_ = pairs;
    pairs = pair;
  }
  AgendaEntry* root = nullptr;
  while (pairs != nullptr) {
    AgendaEntry* const pair = std::exchange(pairs, pairs->next_sibling_);
    pair->next_sibling_ = nullptr;
    root = root == nullptr ? pair : Merge(root, pair);
  }
  return root;
}

void Agenda::RemoveFromTree(AgendaEntry& entry) {
  TROUPE_DCHECK(entry.is_listed(), "an entry is removed that is not listed");
  AgendaEntry* const below =
      MergeSiblings(std::exchange(entry.first_child_, nullptr));
  if (&entry == root_) {
    root_ = below;
  } else {
    if (entry.previous_->first_child_ == &entry) {
      entry.previous_->first_child_ = entry.next_sibling_;
    } else {
      entry.previous_->next_sibling_ = entry.next_sibling_;
    }
    if (entry.next_sibling_ != nullptr) {
      entry.next_sibling_->previous_ = entry.previous_;
    }
    if (below != nullptr) root_ = Merge(root_, below);
  }
  entry.number_ = 0;
}

}  // namespace troupe::internal
