// Invariant "every message is accounted for" (§17, §18, §21): one that was
// accepted is handled once, or a dead letter, or, as long as nobody is at rest,
// under way. Dead letters are counted for each actor, and are exactly those
// that no handler saw. An actor that drains handles what it had been sent
// (§13).
#ifndef TROUPE_TESTING_SWARM_CONSERVATION_H_
#define TROUPE_TESTING_SWARM_CONSERVATION_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Conservation {
 public:
  static constexpr std::string_view kName = "every message is accounted for";

  Conservation(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives), messages_(1) {}

  // A message to `target`. Those to others than our actors, and to supervised
  // ones, which have two addresses each, are counted together.
  uint32_t Sent(Number sender, Number target, bool counted_apart);
  // A message that is its sender's until it is admitted: lost, it is not always
  // a dead letter.
  uint32_t Offered(Number sender, Number target);
  // Its sender has done: if it could be admitted, it is.
  void IsSent(uint32_t message) {
    messages_[message].sent_at = static_cast<uint32_t>(messages_.size());
  }
  // It is its sender's still, who drops it.
  void Refused(uint32_t message) { messages_[message].state = State::kRefused; }
  // A handler has it.
  void Handled(uint32_t message, Number by);
  // The handler keeps it for later.
  void SetAside(uint32_t message, Number by);
  bool IsAside(uint32_t message) const {
    return messages_[message].state == State::kAside;
  }
  // It is destroyed, and no handler had it to the end.
  void Destroyed(uint32_t message);
  // `target` as for Sent().
  void DeadLetter(Number target, bool counted_apart);

  // Somebody asks `target` to drain: what it has been sent before, it handles.
  void DrainBegins(Number target);

  Number sender(uint32_t message) const { return messages_[message].sender; }

  // A number that no message has, and all that are sent later exceed.
  uint32_t NextNumber() {
    messages_.push_back({0, 0, 0, State::kHandled});
    return static_cast<uint32_t>(messages_.size() - 1);
  }

  void CheckAtRest();

 private:
  enum class State : uint8_t {
    kUnderWay,
    kAside,
    kRefused,
    kHandled,
    kLost,
  };
  struct Message {
    Number sender = 0;
    Number target = 0;
    Number account = 0;
    State state = State::kUnderWay;
    uint32_t sent_at = 0;  // How many there were then; 0: it is being sent.
    bool offered = false;
  };
  struct Account {
    uint64_t lost = 0;
    uint64_t mourned = 0;
    uint32_t drained_at = 0;   // How many there were when it was to; 0: never.
    uint32_t lost_before = 0;  // One of those before it.
  };

  Account& AccountOf(Number account) {
    if (account >= accounts_.size()) accounts_.resize(account + 1);
    return accounts_[account];
  }

  void Break(Number number, uint64_t lost, uint64_t mourned);

  Journal& journal_;
  const Lives& lives_;
  std::vector<Message> messages_;
  std::vector<Account> accounts_;
  uint64_t open_ = 0;
  uint64_t aside_ = 0;  // Of these, kept by handlers.
};

// Goes with a message, and tells what becomes of it.
class Passage {
 public:
  Passage(Conservation& ledger, uint32_t message)
      : ledger_(&ledger), message_(message) {}
  Passage(Passage&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)),
        message_(other.message_) {}
  Passage& operator=(Passage&&) = delete;
  ~Passage() {
    if (ledger_ != nullptr) ledger_->Destroyed(message_);
  }

  uint32_t message() const { return message_; }

 private:
  Conservation* ledger_;
  uint32_t message_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_CONSERVATION_H_
