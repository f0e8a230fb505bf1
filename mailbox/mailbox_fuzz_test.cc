// A mailbox with its lanes against queues, through the calls that the input
// says: what its table of states promises, on one thread.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/mailbox/lanes.h"
#include "troupe/mailbox/mailbox.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

using Kind = Mailbox::Word::Kind;

constexpr uint32_t kTarget = 7;

// What was pushed, and where it belongs.
struct Mail {
  int number;
  Lane lane;
  bool stale;
};

class World {
 public:
  explicit World(FuzzInput& input) : input_(input) {}
  ~World() {
    if (alive_) Die();
    PopAll();
  }

  void Step() {
    if (!alive_) return Open();
    switch (input_.Uniform(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Push();
      case 4:
        return Drain();
      case 5:
        return Arm();
      case 6:
        EXPECT_EQ(mailbox_.Disarm(), std::exchange(armed_, false));
        return;
      case 7:
        shut_ ? mailbox_.Reopen() : mailbox_.Shut();
        shut_ = !shut_;
        return;
      case 8:
        return Pop();
      default:
        return Die();
    }
  }

  void Check() const {
    EXPECT_EQ(mailbox_.LooksOpen(), alive_ && !shut_);
    EXPECT_EQ(mailbox_.HasMail(), !pushed_.empty());
    EXPECT_EQ(mailbox_.LooksUrgent(), urging_);
    EXPECT_EQ(lanes_.empty(), normal_.empty());
    EXPECT_EQ(lanes_.queued(), normal_.size());
    EXPECT_EQ(lanes_.attention(), (events_.empty() ? 0 : Lanes::kEvents) |
                                      (urgent_.empty() ? 0 : Lanes::kUrgent));
  }

 private:
  static int NumberOf(Envelope* envelope) { return envelope->As<int>(); }

  void Open() {
    reading_ = mailbox_.Load();
    armed_ = input_.Bernoulli(0.5);
    mailbox_.Open(/*token_inside=*/armed_);
    alive_ = true;
    shut_ = false;
  }

  void Push() {
    const Mail mail{next_number_++, static_cast<Lane>(input_.Uniform(5)),
                    input_.Bernoulli(0.1)};
    Envelope* const envelope = MakeEnvelope<int>(mail.number);
    envelope->lane = mail.lane;
    envelope->target = mail.stale ? kTarget + 1 : kTarget;
    const Kind kind = mail.lane == Lane::kSignal
                          ? static_cast<Kind>(1 + input_.Uniform(3))
                          : Kind::kMessage;
    // A reading of an earlier life is refused.
    const bool late = input_.Bernoulli(0.1);
    const bool takes = !late && !(shut_ && kind == Kind::kMessage);
    const PushResult result =
        mailbox_.Push(late ? reading_ : mailbox_.Load(), envelope, kind);
    if (!takes) {
      EXPECT_EQ(result, PushResult::kClosed);
      DestroyEnvelope(envelope);
      return;
    }
    EXPECT_EQ(result, std::exchange(armed_, false) ? PushResult::kMustWake
                                                   : PushResult::kEnqueued);
    pushed_.push_back(mail);
    shut_ |= kind >= Kind::kClosing;
    urging_ |= kind == Kind::kUrging;
  }

  void Drain() {
    std::deque<Mail> special;
    for (const Mail& mail : std::exchange(pushed_, {})) {
      if (mail.stale || mail.lane == Lane::kSignal ||
          mail.lane == Lane::kAside) {
        special.push_back(mail);
      } else {
        LaneOf(mail.lane).push_back(mail.number);
      }
    }
    urging_ = false;
    mailbox_.Drain(kTarget, lanes_, [&](Envelope* envelope, bool stale) {
      ASSERT_FALSE(special.empty());
      EXPECT_EQ(NumberOf(envelope), special.front().number);
      EXPECT_EQ(stale, special.front().stale);
      special.pop_front();
      DestroyEnvelope(envelope);
    });
    EXPECT_TRUE(special.empty());
  }

  // REQUIRES of Arm(): the owner holds the token.
  void Arm() {
    if (armed_) return;
    const bool arms = pushed_.empty();
    EXPECT_EQ(mailbox_.Arm(), arms);
    armed_ = arms;
  }

  void Pop() {
    switch (input_.Uniform(4)) {
      case 0:
        return Expect(lanes_.PopEvent(), events_);
      case 1:
        return Expect(lanes_.PopUrgent(), urgent_);
      case 2:
        return PutBack();
      default:
        if (!normal_.empty()) Expect(lanes_.Pop(), normal_);
    }
  }

  // The two oldest are put before all others again.
  void PutBack() {
    EnvelopeRing first;
    for (int i = 0; i < 2 && !lanes_.empty(); ++i) first.Append(lanes_.Pop());
    lanes_.Prepend(first);
    EXPECT_TRUE(first.empty());
  }

  void Die() {
    reading_ = mailbox_.Load();
    const Mailbox::Remains remains = mailbox_.Die();
    EXPECT_EQ(remains.token_inside, std::exchange(armed_, false));
    Envelope* envelope = remains.chain;
    for (const Mail& mail : std::exchange(pushed_, {})) {
      ASSERT_NE(envelope, nullptr);
      EXPECT_EQ(NumberOf(envelope), mail.number);
      Envelope* const next = envelope->next;
      DestroyEnvelope(envelope);
      envelope = next;
    }
    EXPECT_EQ(envelope, nullptr);
    alive_ = false;
    urging_ = false;
    if (input_.Bernoulli(0.1)) mailbox_.Restart(generation_ += 1000);
  }

  void PopAll() {
    while (!normal_.empty()) Expect(lanes_.Pop(), normal_);
    while (!events_.empty()) Expect(lanes_.PopEvent(), events_);
    while (!urgent_.empty()) Expect(lanes_.PopUrgent(), urgent_);
  }

  std::deque<int>& LaneOf(Lane lane) {
    return lane == Lane::kEvent    ? events_
           : lane == Lane::kUrgent ? urgent_
                                   : normal_;
  }
  static void Expect(Envelope* envelope, std::deque<int>& lane) {
    ASSERT_EQ(envelope == nullptr, lane.empty());
    if (envelope == nullptr) return;
    EXPECT_EQ(NumberOf(envelope), lane.front());
    lane.pop_front();
    DestroyEnvelope(envelope);
  }

  FuzzInput& input_;
  Mailbox mailbox_;
  Lanes lanes_;
  Mailbox::Reading reading_ = 0;  // Of an earlier life.
  uint64_t generation_ = 0;
  bool alive_ = false;
  bool shut_ = false;
  bool armed_ = false;
  bool urging_ = false;
  int next_number_ = 0;
  std::vector<Mail> pushed_;
  std::deque<int> normal_;
  std::deque<int> events_;
  std::deque<int> urgent_;
};

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::World world(input);
  while (!input.empty()) {
    world.Step();
    world.Check();
  }
  return 0;
}
