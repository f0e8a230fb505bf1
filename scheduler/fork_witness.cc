#include "troupe/scheduler/fork_witness.h"

#include <pthread.h>

namespace troupe {

// Relaxed, all of them: what fork() makes of this process begins with one
// thread, which sees what the parent's saw that called fork().
constinit std::atomic<uint32_t> ForkWitness::forks_{0};
constinit std::atomic<int> ForkWitness::living_{0};
constinit std::atomic<bool> ForkWitness::threads_lost_{false};

void ForkWitness::InChild() {
  forks_.fetch_add(1, std::memory_order_relaxed);
  if (living_.load(std::memory_order_relaxed) > 0) {
    threads_lost_.store(true, std::memory_order_relaxed);
  }
}

void ForkWitness::Begin() {
  // Without memory for the handler there is no witness, and all else works.
  static const int error = pthread_atfork(nullptr, nullptr, &InChild);
  static_cast<void>(error);
}

ForkWitness::ForkWitness()
    : born_in_((Begin(), forks_.load(std::memory_order_relaxed))) {
  living_.fetch_add(1, std::memory_order_relaxed);
}

ForkWitness::~ForkWitness() { living_.fetch_sub(1, std::memory_order_relaxed); }

bool ForkWitness::ThreadsWereLost() {
  return threads_lost_.load(std::memory_order_relaxed);
}

}  // namespace troupe
