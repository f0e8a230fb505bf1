// A bounded queue against lists of what is in it and of who waits, through the
// calls that the input says.
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

constexpr uint32_t kTarget = 7;

template <size_t kBytes>
struct Message {
  int number;
  std::array<char, kBytes> filling = {};
};

struct Item {
  int number;
  uint64_t bytes;
};

class Waiter final : public BoundedQueue::Waiter {
 public:
  explicit Waiter(Envelope* envelope) : envelope(envelope) {}

  Envelope* const envelope;
  std::optional<Admission> told;

 private:
  void OnAdmission(Admission admission) override {
    EXPECT_FALSE(told.has_value());
    told = admission;
  }
};

class World {
 public:
  explicit World(FuzzInput& input) : input_(input) {}
  ~World() { Close(); }

  void Step() {
    if (!open_ && !shut_) return Open();
    switch (input_.Uniform(8)) {
      case 0:
      case 1:
      case 2:
        return Push(/*waits=*/false);
      case 3:
        return Push(/*waits=*/true);
      case 4:
      case 5:
        return Pop();
      case 6:
        return Withdraw();
      default:
        if (input_.Bernoulli(0.5)) return Close();
        queue_.Shut();
        Shut();
    }
  }

  void Check() {
    EXPECT_EQ(queue_.messages(), queued_.size());
    EXPECT_EQ(queue_.bytes(), Bytes());
    EXPECT_EQ(queue_.entered(), entered_);
    EXPECT_EQ(queue_.left(), entered_ - queued_.size());
    for (const auto& [item, waiter] : waiting_) {
      EXPECT_FALSE(waiter->told.has_value());
    }
  }

 private:
  using Waiting = std::pair<Item, std::unique_ptr<Waiter>>;

  uint64_t Bytes() const {
    return std::accumulate(
        queued_.begin(), queued_.end(), uint64_t{0},
        [](uint64_t sum, const Item& item) { return sum + item.bytes; });
  }
  bool Fits(const Item& item) const {
    return queued_.size() < capacity_.messages &&
           item.bytes <= capacity_.bytes - Bytes();
  }

  void Open() {
    capacity_ = {.messages = input_.Bernoulli(0.2) ? Capacity::kUnlimited
                                                   : 1 + input_.Uniform(6),
                 .bytes = input_.Bernoulli(0.5) ? Capacity::kUnlimited
                                                : 128 + input_.Uniform(1024),
                 .policy = static_cast<OverflowPolicy>(input_.Uniform(4))};
    queue_.Open(capacity_, kTarget);
    open_ = true;
    armed_ = true;
  }

  Envelope* SomeEnvelope() {
    const int number = next_number_++;
    switch (input_.Uniform(4)) {
      case 0:
        return MakeEnvelope<Message<1>>(Message<1>{number});
      case 1:
        return MakeEnvelope<Message<200>>(Message<200>{number});
      case 2:
        return MakeEnvelope<Message<500>>(Message<500>{number});
      default:
        return MakeEnvelope<Message<5000>>(Message<5000>{number});
    }
  }
  // The number is the first thing in each of them.
  static int NumberOf(Envelope* envelope) {
    return *static_cast<int*>(envelope->payload());
  }

  void Push(bool waits) {
    Envelope* const envelope = SomeEnvelope();
    const bool late = input_.Bernoulli(0.05);
    envelope->target = late ? kTarget + 1 : kTarget;
    const Item item{NumberOf(envelope), envelope->size_bytes()};
    auto waiter = std::make_unique<Waiter>(envelope);
    std::vector<int> drops;
    const Admission expected = Admit(item, late, waits, drops);
    EnvelopeList dropped;
    const Admission admission =
        waits ? queue_.PushOrWait(envelope, *waiter, dropped)
              : queue_.Push(envelope, dropped);
    EXPECT_EQ(admission, expected);
    for (const int number : drops) {
      const EnvelopePtr one = dropped.Pop();
      ASSERT_NE(one, nullptr);
      EXPECT_EQ(NumberOf(one.get()), number);
    }
    EXPECT_TRUE(dropped.empty());
    if (admission == Admission::kWaiting) {
      waiting_.emplace_back(item, std::move(waiter));
    } else if (admission >= Admission::kFull) {
      DestroyEnvelope(envelope);
    }
  }

  // What should become of it.
  Admission Admit(const Item& item, bool late, bool waits,
                  std::vector<int>& drops) {
    if (!open_ || late) return Admission::kClosed;
    if (item.bytes > capacity_.bytes) return Admission::kTooLarge;
    if (!waiting_.empty() || !Fits(item)) {
      switch (capacity_.policy) {
        case OverflowPolicy::kReject:
          return Admission::kFull;
        case OverflowPolicy::kDropNewest:
          drops.push_back(item.number);
          return Admission::kDropped;
        case OverflowPolicy::kDropOldest:
          while (!Fits(item)) {
            drops.push_back(queued_.front().number);
            queued_.pop_front();
          }
          break;
        case OverflowPolicy::kAwait:
          return waits ? Admission::kWaiting : Admission::kFull;
      }
    }
    Enter(item);
    return std::exchange(armed_, false) ? Admission::kMustWake
                                        : Admission::kEnqueued;
  }
  void Enter(const Item& item) {
    queued_.push_back(item);
    ++entered_;
  }
  // First come, first served.
  void AdmitWaiting() {
    while (!waiting_.empty() && Fits(waiting_.front().first)) {
      Enter(waiting_.front().first);
      EXPECT_EQ(waiting_.front().second->told, Admission::kEnqueued);
      waiting_.pop_front();
    }
  }

  void Pop() {
    const EnvelopePtr envelope(queue_.Pop());
    if (queued_.empty()) {
      EXPECT_EQ(envelope, nullptr);
      armed_ = open_;
      return;
    }
    ASSERT_NE(envelope, nullptr);
    EXPECT_EQ(NumberOf(envelope.get()), queued_.front().number);
    queued_.pop_front();
    AdmitWaiting();
  }

  void Withdraw() {
    if (waiting_.empty()) return;
    const auto one = waiting_.begin() +
                     static_cast<int64_t>(input_.Uniform(waiting_.size()));
    EXPECT_TRUE(queue_.Withdraw(*one->second));
    EXPECT_FALSE(queue_.Withdraw(*one->second));
    DestroyEnvelope(one->second->envelope);
    waiting_.erase(one);
    AdmitWaiting();
  }

  void Shut() {
    shut_ = true;
    open_ = false;
    armed_ = false;
    for (const auto& [item, waiter] : std::exchange(waiting_, {})) {
      EXPECT_EQ(waiter->told, Admission::kClosed);
      DestroyEnvelope(waiter->envelope);
    }
  }

  void Close() {
    EnvelopeList remains = queue_.Close();
    Shut();
    shut_ = false;
    for (const Item& item : std::exchange(queued_, {})) {
      const EnvelopePtr envelope = remains.Pop();
      ASSERT_NE(envelope, nullptr);
      EXPECT_EQ(NumberOf(envelope.get()), item.number);
    }
    EXPECT_TRUE(remains.empty());
  }

  FuzzInput& input_;
  BoundedQueue queue_;
  Capacity capacity_;
  bool open_ = false;
  bool shut_ = false;
  bool armed_ = false;
  uint64_t entered_ = 0;
  int next_number_ = 0;
  std::deque<Item> queued_;
  std::deque<Waiting> waiting_;
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
