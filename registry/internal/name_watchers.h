// Who watches names, and what they have not been told yet.
//
// Events are noted in the order in which things happen, under the lock of the
// names, and told outside of it: see news.h.
//
// Thread safety: any thread.
#ifndef TROUPE_REGISTRY_INTERNAL_NAME_WATCHERS_H_
#define TROUPE_REGISTRY_INTERNAL_NAME_WATCHERS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/base/log.h"
#include "troupe/registry/internal/news.h"
#include "troupe/registry/name_event.h"

namespace troupe::internal {

// Watches one name, or all that begin with a prefix.
class NameWatcher final : public EventEntry {
 public:
  // `actor` is who is told; null: a function that is no actor's.
  NameWatcher(std::string pattern, bool is_prefix, AnyActorRef actor,
              std::function<void(const NameEvent&)> tell)
      : pattern_(std::move(pattern)),
        is_prefix_(is_prefix),
        actor_(actor),
        tell_(std::move(tell)) {}

  bool Covers(absl::string_view name) const {
    return is_prefix_ ? absl::StartsWith(name, pattern_) : name == pattern_;
  }
  const AnyActorRef& actor() const { return actor_; }
  void Tell(const NameEvent& event, const Logger& logger);

 private:
  const std::string pattern_;
  const bool is_prefix_;
  const AnyActorRef actor_;
  const std::function<void(const NameEvent&)> tell_;
};

class NameWatchers {
 public:
  explicit NameWatchers(ActorSystem& system)
      : logger_(system.logger()),
        channel_(system.Get<ExtensionChannel<NameEvent>>().channel) {}

  // Notes `present` for `watcher`, to which all is told that is noted later.
  // Then call Tell().
  void Add(std::shared_ptr<NameWatcher> watcher, std::vector<NameEvent> present)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Takes out those that tell `actor`: nothing more is noted for them. What has
  // been noted is told until they are dropped; outside of all locks.
  [[nodiscard]] std::vector<std::shared_ptr<NameWatcher>> Remove(
      const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_);

  // True: Tell() is to be called, outside of all locks.
  [[nodiscard]] bool Note(NameEvent event) ABSL_LOCKS_EXCLUDED(mu_);
  void Tell() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Told {
    NameEvent event;
    std::vector<std::shared_ptr<NameWatcher>> watchers;
    bool is_public;  // Also to who subscribed to the system's events.
  };

  void TellOne(const Told& told);

  const Logger& logger_;
  EventChannel<NameEvent>& channel_;

  absl::Mutex mu_;
  std::vector<std::shared_ptr<NameWatcher>> watchers_ ABSL_GUARDED_BY(mu_);
  News<Told> news_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_NAME_WATCHERS_H_
