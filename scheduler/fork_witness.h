// Tells who has threads whether fork() has parted it from them: a child has
// none but the thread that called fork(), and whatever lock the others held
// stays locked in it.
//
//   class Pool {
//     absl::Status Submit(Task task) {
//       if (witness_.forked()) return absl::FailedPreconditionError(...);
//
// Thread safety: any thread.
// Cost: forked() is a load and a comparison; nothing is asked of the kernel.
#ifndef TROUPE_SCHEDULER_FORK_WITNESS_H_
#define TROUPE_SCHEDULER_FORK_WITNESS_H_

#include <atomic>
#include <cstdint>

namespace troupe {

class ForkWitness {
 public:
  ForkWitness();
  ForkWitness(const ForkWitness&) = delete;
  ForkWitness& operator=(const ForkWitness&) = delete;
  ~ForkWitness();

  // Whether this process is a child, in whose parent this was made. Only fork()
  // counts: not vfork(), posix_spawn() and bare system calls.
  bool forked() const {
    // Relaxed: it changes where there is only one thread.
    return born_in_ != forks_.load(std::memory_order_relaxed);
  }

  // Whether a witness lived when fork() made this process, or one that it comes
  // from. What such a process has in common with those threads may be locked.
  static bool ThreadsWereLost();

 private:
  static void Begin();  // The handlers.
  static void InChild();

  static std::atomic<uint32_t> forks_;  // On the way to this process.
  static std::atomic<int> living_;
  static std::atomic<bool> threads_lost_;

  const uint32_t born_in_;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_FORK_WITNESS_H_
