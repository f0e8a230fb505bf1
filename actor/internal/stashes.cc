#include "troupe/actor/internal/stashes.h"

#include <utility>

namespace troupe::internal {

void Stashes::Add(StashBase& stash, Envelope* envelope) {
  if (stash.size_++ == 0) stash.next_ = std::exchange(first_, &stash);
  ++size_;
  stash.messages_.Append(envelope);
}

void Stashes::GiveBack(StashBase& stash) {
  StashBase** link = &first_;
  while (*link != &stash) link = &(*link)->next_;
  *link = stash.next_;
  size_ -= std::exchange(stash.size_, 0);
  returned_.AppendAll(stash.messages_);
}

EnvelopeRing Stashes::TakeAll() {
  while (first_ != nullptr) GiveBack(*first_);
  return std::exchange(returned_, EnvelopeRing());
}

}  // namespace troupe::internal
