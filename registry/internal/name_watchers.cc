#include "troupe/registry/internal/name_watchers.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/contain.h"

namespace troupe::internal {

void NameWatcher::Tell(const NameEvent& event, const Logger& logger) {
  Guarded([&] {
    const absl::Status status = Contain([&] { tell_(event); });
    if (!status.ok()) {
      logger.Log(
          LogSeverity::kError,
          absl::StrCat("a watcher of names ", is_prefix_ ? "like '" : "'",
                       pattern_, "': ", status.ToString()));
    }
  });
}

void NameWatchers::Add(std::shared_ptr<NameWatcher> watcher,
                       std::vector<NameEvent> present) {
  absl::MutexLock lock(&mu_);
  for (NameEvent& event : present) {
    news_.Note({std::move(event), {watcher}, /*is_public=*/false});
  }
  watchers_.push_back(std::move(watcher));
}

std::vector<std::shared_ptr<NameWatcher>> NameWatchers::Remove(
    const AnyActorRef& actor) {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<NameWatcher>> removed;
  std::erase_if(watchers_, [&](const std::shared_ptr<NameWatcher>& watcher) {
    if (!(watcher->actor() == actor)) return false;
    removed.push_back(watcher);
    return true;
  });
  return removed;
}

bool NameWatchers::Note(NameEvent event) {
  absl::MutexLock lock(&mu_);
  const bool is_public = channel_.HasSubscribers();
  std::vector<std::shared_ptr<NameWatcher>> told;
  if (!watchers_.empty()) {
    std::erase_if(watchers_, [](const auto& one) { return one->dropped(); });
    for (const std::shared_ptr<NameWatcher>& watcher : watchers_) {
      if (watcher->Covers(event.name)) told.push_back(watcher);
    }
  }
  if (told.empty() && !is_public) return false;
  news_.Note({std::move(event), std::move(told), is_public});
  return true;
}

void NameWatchers::Tell() {
  news_.Tell([this](const Told& told) { TellOne(told); });
}

void NameWatchers::TellOne(const Told& told) {
  for (const std::shared_ptr<NameWatcher>& watcher : told.watchers) {
    watcher->Tell(told.event, logger_);
  }
  if (told.is_public) channel_.Publish(told.event, logger_);
}

}  // namespace troupe::internal
