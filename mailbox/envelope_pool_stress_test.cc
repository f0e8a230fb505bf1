// Envelopes that cross threads, in every order of their threads' ends. What the
// checks cannot see (a block handed out twice without a visible clash, a
// missing edge between the thread that frees and the one that allocates) is for
// the sanitizers: each block is plain memory that its owner writes.

#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe {
namespace {

// Written whole by the sender and checked whole by the receiver.
template <size_t kWords>
struct Pattern {
  explicit Pattern(uint64_t seed) {
    for (size_t i = 0; i < kWords; ++i) words[i] = seed + i;
  }
  bool IsIntact() const {
    for (size_t i = 0; i < kWords; ++i) {
      if (words[i] != words[0] + i) return false;
    }
    return true;
  }
  uint64_t words[kWords];
};
using Small = Pattern<5>;
using Medium = Pattern<60>;
using Large = Pattern<500>;
using Huge = Pattern<600>;  // Beyond the pool's classes.

Envelope* RandomEnvelope(Random& random) {
  const uint64_t seed = random.NextUint64() / 2;
  const uint64_t kind = random.Uniform(100);
  if (kind < 85) return MakeEnvelope<Small>(seed);
  if (kind < 95) return MakeEnvelope<Medium>(seed);
  if (kind < 99) return MakeEnvelope<Large>(seed);
  return MakeEnvelope<Huge>(seed);
}

bool IsIntact(Envelope* envelope) {
  if (envelope->type == &kMessageType<Small>) {
    return envelope->As<Small>().IsIntact();
  }
  if (envelope->type == &kMessageType<Medium>) {
    return envelope->As<Medium>().IsIntact();
  }
  if (envelope->type == &kMessageType<Large>) {
    return envelope->As<Large>().IsIntact();
  }
  return envelope->type == &kMessageType<Huge> &&
         envelope->As<Huge>().IsIntact();
}

// Holds at most `capacity` envelopes; who brings one takes another away.
class Exchange {
 public:
  explicit Exchange(size_t capacity) : capacity_(capacity) {}

  // Returns an envelope that somebody else brought, picked by `random`, or
  // null while there is room.
  Envelope* Swap(Envelope* envelope, Random& random) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    envelopes_.push_back(envelope);
    if (envelopes_.size() <= capacity_) return nullptr;
    std::swap(envelopes_[random.Uniform(envelopes_.size())], envelopes_.back());
    return TakeLast();
  }

  // Null if empty.
  Envelope* Take() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return envelopes_.empty() ? nullptr : TakeLast();
  }

 private:
  Envelope* TakeLast() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Envelope* const envelope = envelopes_.back();
    envelopes_.pop_back();
    return envelope;
  }

  const size_t capacity_;
  absl::Mutex mu_;
  std::vector<Envelope*> envelopes_ ABSL_GUARDED_BY(mu_);
};

// Exchanges `count` envelopes and returns how many were damaged.
int ExchangeMany(Exchange& exchange, int count, uint64_t seed) {
  Random random(seed);
  int damaged = 0;
  for (int i = 0; i < count; ++i) {
    Envelope* const other = exchange.Swap(RandomEnvelope(random), random);
    if (other == nullptr) continue;
    if (!IsIntact(other)) ++damaged;
    DestroyEnvelope(other);
  }
  return damaged;
}

void DestroyAll(Exchange& exchange) {
  while (Envelope* envelope = exchange.Take()) {
    EXPECT_TRUE(IsIntact(envelope));
    DestroyEnvelope(envelope);
  }
}

TEST(EnvelopePoolStressTest, MemoryStaysFlatOverAMillionEnvelopesThatCross) {
  constexpr int kThreads = 4;
  constexpr int kPerThread = 250'000;
  Exchange exchange(/*capacity=*/2000);
  size_t mapped = 0;
  for (int round = 0; round < 2; ++round) {
    std::vector<int> damaged(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        damaged[t] = ExchangeMany(exchange, round == 0 ? 20'000 : kPerThread,
                                  /*seed=*/round * kThreads + t);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(damaged, std::vector<int>(kThreads));
    if (round == 0) mapped = EnvelopePool::MappedBytes();
  }
  // One slab more than after the first 80,000: the mix of classes is random.
  EXPECT_LE(EnvelopePool::MappedBytes(), mapped + (size_t{2} << 20));
  DestroyAll(exchange);
}

TEST(EnvelopePoolStressTest, ThreadsThatEndLeaveTheirEnvelopesToOthers) {
  // Threads come and go; what they leave in flight is destroyed by their
  // successors, and their caches serve these.
  constexpr int kGenerations = 150;
  constexpr int kThreads = 4;
  Exchange exchange(/*capacity=*/500);
  size_t mapped = 0;
  for (int g = 0; g < kGenerations; ++g) {
    std::vector<int> damaged(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        damaged[t] =
            ExchangeMany(exchange, 300, /*seed=*/1000 + g * kThreads + t);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(damaged, std::vector<int>(kThreads));
    if (g == 20) mapped = EnvelopePool::MappedBytes();
  }
  EXPECT_LE(EnvelopePool::MappedBytes(), mapped + (size_t{2} << 20));
  DestroyAll(exchange);
}

TEST(EnvelopePoolStressTest, MemoryMayBeReleasedWhileOthersUseThePool) {
  constexpr int kThreads = 3;
  Exchange exchange(/*capacity=*/20'000);
  std::vector<int> damaged(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        damaged[t] +=
            ExchangeMany(exchange, 10'000, /*seed=*/5000 + round * 10 + t);
        EnvelopePool::ReleaseUnused();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(damaged, std::vector<int>(kThreads));
  DestroyAll(exchange);
  const size_t held = EnvelopePool::HeldBytes();
  EnvelopePool::ReleaseUnused();
  EXPECT_LT(EnvelopePool::HeldBytes(), held);
}

}  // namespace
}  // namespace troupe
