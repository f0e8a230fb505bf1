// For tests of a BoundedQueue: messages of two sizes, a queue that is open, and
// who waits for space in it.
#ifndef TROUPE_MAILBOX_BOUNDED_QUEUE_TESTING_H_
#define TROUPE_MAILBOX_BOUNDED_QUEUE_TESTING_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

inline constexpr uint32_t kTarget = 7;
inline constexpr uint64_t kSmallBytes = 64;

// A message of one cache line, and one of two.
struct Small {
  int value;
};
struct Large {
  int value;
  std::array<char, 100> filler = {};
};

template <typename M = Small>
Envelope* Message(int value, uint32_t target = kTarget) {
  Envelope* const envelope = MakeEnvelope<M>(value);
  envelope->target = target;
  return envelope;
}

inline int ValueOf(Envelope& envelope) {
  return envelope.type == &kMessageType<Large> ? envelope.As<Large>().value
                                               : envelope.As<Small>().value;
}

inline std::vector<int> PopAll(EnvelopeList& list) {
  std::vector<int> values;
  while (const EnvelopePtr envelope = list.Pop()) {
    values.push_back(ValueOf(*envelope));
  }
  return values;
}

// Open, and closed again at the end.
class OpenQueue : public BoundedQueue {
 public:
  explicit OpenQueue(const Capacity& capacity) { Open(capacity, kTarget); }
  ~OpenQueue() { Close(); }

  // Pushes and destroys what is refused; `dropped` collects the rest.
  Admission PushMessage(Envelope* envelope) {
    const Admission admission = Push(envelope, dropped);
    if (admission == Admission::kFull || admission == Admission::kTooLarge ||
        admission == Admission::kClosed) {
      DestroyEnvelope(envelope);
    }
    return admission;
  }

  // The value of the oldest message.
  std::optional<int> PopMessage() {
    const EnvelopePtr envelope(Pop());
    if (envelope == nullptr) return std::nullopt;
    return ValueOf(*envelope);
  }

  std::vector<int> PopAllMessages() {
    std::vector<int> values;
    while (const std::optional<int> value = PopMessage()) {
      values.push_back(*value);
    }
    return values;
  }

  std::vector<int> PopSomeMessages(int most) {
    EnvelopeList some = PopSome(most);
    return PopAll(some);
  }

  EnvelopeList dropped;
};

// Notes what it was told.
class TestWaiter final : public BoundedQueue::Waiter {
 public:
  std::optional<Admission> told;

 private:
  void OnAdmission(Admission admission) override {
    EXPECT_EQ(told, std::nullopt);
    told = admission;
  }
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_BOUNDED_QUEUE_TESTING_H_
