#include "troupe/testing/soak/world.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::testing {
namespace {

thread_local int64_t dead_letters_here = 0;

}  // namespace

Subscription World::CountDeadLetters(ActorSystem& system) {
  return system.Subscribe<DeadLetter>([this](const DeadLetter& letter) {
    ++dead_letters_here;
    const std::pair<std::string_view, Account*> accounts[] = {
        {kMessageType<Item>.name, &items}, {kMessageType<Ask>.name, &asks},
        {kMessageType<Page>.name, &pages}, {kMessageType<Tick>.name, &ticks},
        {kMessageType<News>.name, &news},
    };
    for (const auto& [type, account] : accounts) {
      if (letter.message_type == type) account->Add(Fate::kDead);
    }
    // It is destroyed next, by this thread.
    if (letter.message_type == kMessageType<Ask>.name) {
      RequestToken::NoteDeadLetter();
    }
  });
}

int64_t World::TakeDeadLettersOfThisThread() {
  return std::exchange(dead_letters_here, 0);
}

void World::Complain(absl::string_view what) {
  absl::MutexLock lock(&mu_);
  if (complaint_.empty()) complaint_ = std::string(what);
}

std::string World::complaint() const {
  absl::MutexLock lock(&mu_);
  return complaint_;
}

void World::CheckOrder(const Item& item, int clerk) {
  if (item.driver < 0) return;
  // Relaxed: the instances of a clerk follow one another.
  std::atomic<int64_t>& last = last_[item.driver][clerk];
  const int64_t before = last.exchange(item.number, std::memory_order_relaxed);
  if (item.number <= before) {
    Complain(absl::StrCat("clerk ", clerk, " got item ", item.number,
                          " of driver ", item.driver, " after ", before));
  }
}

int64_t World::Handled() const {
  int64_t handled = prices_seen.load(std::memory_order_relaxed);
  for (const Account* const account : {&items, &asks, &pages, &ticks, &news}) {
    handled += account->Count(Fate::kHandled);
  }
  return handled;
}

}  // namespace troupe::testing
