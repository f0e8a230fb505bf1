// A PinnedThread is a thread that actors share which may run on no other: for
// a library that must always be called by the same thread, for state that is
// kept for each thread, for handlers that block each other only.
//
//   absl::StatusOr<troupe::PinnedThread> render = system.StartThread("render");
//   auto scene = system.Spawn<Scene>({.thread = *render});
//   auto window = system.Spawn<Window>({.thread = *render});
//
// An actor that is pinned is constructed there, its hooks and handlers run
// there, and there it is destroyed. Its children are not, unless they are
// spawned with the same thread. Actors elsewhere send and call as ever.
//
// Ownership: a value; the handles and the actors share the thread. It ends when
// the last of them is gone, or with the system, whatever handles are left.
// Blocking: no call blocks.
// Thread safety: a value; any thread.
#ifndef TROUPE_ACTOR_PINNED_THREAD_H_
#define TROUPE_ACTOR_PINNED_THREAD_H_

#include <memory>
#include <utility>

namespace troupe {

namespace internal {
class SharedThread;
}  // namespace internal

class PinnedThread {
 public:
  // None.
  PinnedThread() = default;

  bool IsNull() const { return thread_ == nullptr; }
  friend bool operator==(const PinnedThread&, const PinnedThread&) = default;

  // For the runtime.
  explicit PinnedThread(std::shared_ptr<internal::SharedThread> thread)
      : thread_(std::move(thread)) {}
  const std::shared_ptr<internal::SharedThread>& shared() const {
    return thread_;
  }

 private:
  std::shared_ptr<internal::SharedThread> thread_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_PINNED_THREAD_H_
