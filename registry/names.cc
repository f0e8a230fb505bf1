#include "troupe/registry/names.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/registry/name.h"

namespace troupe {
namespace {

using internal::AboutName;
using internal::NameWatcher;
using internal::OwedAnswer;
using internal::ReplyRoute;

std::string Copy(absl::string_view text) {
  return std::string(text.data(), text.size());
}

absl::Status LeadsElsewhere(absl::string_view name, const AnyActorRef& actor) {
  return absl::NotFoundError(absl::StrCat(
      "the name '", name, "' does not lead to ", actor.ToString()));
}

// What must not be half done, once it has begun.
template <typename F>
decltype(auto) InWhole(F&& change) {
  return internal::MustHaveMemory("the names", std::forward<F>(change));
}

// What `give` does, or that there is no memory for it, and nothing was done.
template <typename F>
absl::Status OrNoMemory(absl::string_view name, F&& give) {
#ifdef __cpp_exceptions
  try {
    return std::forward<F>(give)();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for the name '", name, "': it is not given"));
  }
#else
  (void)name;
  return std::forward<F>(give)();
#endif
}

std::vector<Names::Entry> AsEntries(
    std::vector<std::pair<std::string, AnyActorRef>> pairs) {
  std::vector<Names::Entry> entries;
  entries.reserve(pairs.size());
  for (auto& [name, actor] : pairs) entries.push_back({std::move(name), actor});
  return entries;
}

}  // namespace

Names::Names(ActorSystem& system) : system_(system), watchers_(system) {
  system.SetNameService(*this);
}

absl::Status Names::LeadsNowhere(absl::string_view name) {
  return absl::NotFoundError(
      absl::StrCat("no actor has the name '", name, "'"));
}

absl::Status Names::CheckIsFree(absl::string_view name) const {
  const std::optional<AnyActorRef> owner = table_.Find(name);
  if (!owner.has_value()) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("the name '", name, "' is ", owner->ToString(), "'s"));
}

// -- giving

bool Names::Give(absl::string_view name, const AnyActorRef& owner) {
  NameEvent appeared{NameEvent::Kind::kAppeared, Copy(name), owner,
                     AnyActorRef()};
  // It is free, and nobody else gives it meanwhile.
  (void)table_.Insert(Copy(name), owner);
  // It is given. Who waits for it is promised to be told.
  return InWhole([&] {
    mu_.AssertHeld();
    AnswerWaiters(name, owner);
    return watchers_.Note(std::move(appeared));
  });
}

void Names::AnswerWaiters(absl::string_view name, const AnyActorRef& owner) {
  const auto waiting = waiters_.find(name);
  if (waiting == waiters_.end()) return;
  for (OwedAnswer<AnyActorRef>& answer : waiting->second) {
    std::move(answer).Give(owner);
  }
  waiters_.erase(waiting);
}

absl::Status Names::Reserve(absl::string_view name, AnyActorRef owner) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  bool has_news = false;
  absl::Status status = OrNoMemory(name, [&] {
    absl::MutexLock lock(&mu_);
    absl::Status is_free = CheckIsFree(name);
    if (is_free.ok()) has_news = Give(name, owner);
    return is_free;
  });
  if (has_news) watchers_.Tell();
  return status;
}

absl::Status Names::Register(absl::string_view name, const AnyActorRef& actor) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  bool has_news = false;
  absl::Status status = OrNoMemory(name, [&]() -> absl::Status {
    absl::MutexLock lock(&mu_);
    if (absl::Status is_free = CheckIsFree(name); !is_free.ok()) return is_free;
    // From here on its end waits for this lock. It is asked before the name is
    // given, so that a refusal leaves nothing to be found meanwhile.
    if (absl::Status alive = system_.ObserveEnd(actor, *this); !alive.ok()) {
      return AboutName(name, alive);
    }
    has_news = Give(name, actor);
    return absl::OkStatus();
  });
  if (has_news) watchers_.Tell();
  return status;
}

absl::Status Names::Unregister(absl::string_view name,
                               const AnyActorRef& actor) {
  bool has_news;
  {
    absl::MutexLock lock(&mu_);
    if (!table_.Erase(name, actor)) return LeadsElsewhere(name, actor);
    has_news = InWhole([&] {
      mu_.AssertHeld();
      return watchers_.Note(
          {NameEvent::Kind::kGone, Copy(name), actor, AnyActorRef()});
    });
  }
  if (has_news) watchers_.Tell();
  return absl::OkStatus();
}

absl::Status Names::Move(absl::string_view name, const AnyActorRef& from,
                         const AnyActorRef& to) {
  bool has_news = false;
  absl::Status status = OrNoMemory(name, [&]() -> absl::Status {
    absl::MutexLock lock(&mu_);
    const std::optional<AnyActorRef> owner = table_.Find(name);
    if (!owner.has_value() || !(*owner == from)) {
      return LeadsElsewhere(name, from);
    }
    if (absl::Status alive = system_.ObserveEnd(to, *this); !alive.ok()) {
      return AboutName(name, alive);
    }
    if (from == to) return absl::OkStatus();
    (void)table_.Replace(name, from, to);  // It leads to `from`.
    has_news = InWhole([&] {
      mu_.AssertHeld();
      return watchers_.Note({NameEvent::Kind::kMoved, Copy(name), to, from});
    });
    return absl::OkStatus();
  });
  if (has_news) watchers_.Tell();
  return status;
}

void Names::OnActorEnd(const AnyActorRef& actor) {
  bool has_news = false;
  std::vector<std::shared_ptr<NameWatcher>> its_watchers;
  {
    absl::MutexLock lock(&mu_);
    its_watchers = watchers_.Remove(actor);
    for (std::string& name : table_.EraseAll(actor)) {
      has_news |= watchers_.Note(
          {NameEvent::Kind::kGone, std::move(name), actor, AnyActorRef()});
    }
  }
  // What they are still to be told would be dead letters.
  for (const auto& watcher : its_watchers) watcher->Drop();
  if (has_news) watchers_.Tell();
}

// -- finding

std::vector<Names::Entry> Names::List(absl::string_view scope) const {
  return AsEntries(table_.List(
      [scope](const std::string& name) { return ScopeOf(name) == scope; }));
}

std::vector<Names::Entry> Names::ListAll() const {
  return AsEntries(table_.List());
}

std::vector<std::string> Names::ListScopes() const {
  std::vector<std::string> scopes;
  for (const auto& [name, actor] : table_.List()) {
    scopes.push_back(Copy(ScopeOf(name)));
  }
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  return scopes;
}

std::optional<AnyActorRef> Names::FindOrAwait(absl::string_view name,
                                              const ReplyRoute& route) {
  absl::MutexLock lock(&mu_);
  if (std::optional<AnyActorRef> found = table_.Find(name)) return found;
  InWhole([&] {
    mu_.AssertHeld();
    waiters_[name].emplace_back(route, AnyActorRef());
  });
  return std::nullopt;
}

void Names::AwaitNoMore(absl::string_view name, const ReplyRoute& route) {
  absl::MutexLock lock(&mu_);
  const auto waiting = waiters_.find(name);
  if (waiting == waiters_.end()) return;
  // Dropped, it answers nobody.
  std::erase_if(waiting->second, [&](const OwedAnswer<AnyActorRef>& answer) {
    return answer.IsOwedTo(route);
  });
  if (waiting->second.empty()) waiters_.erase(waiting);
}

// -- watching

absl::StatusOr<Subscription> Names::Watch(absl::string_view name,
                                          const NameSubscriber& subscriber) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  return Watch(name, /*is_prefix=*/false, subscriber);
}

absl::StatusOr<Subscription> Names::WatchPrefix(
    absl::string_view prefix, const NameSubscriber& subscriber) {
  return Watch(prefix, /*is_prefix=*/true, subscriber);
}

absl::StatusOr<Subscription> Names::Watch(absl::string_view pattern,
                                          bool is_prefix,
                                          const NameSubscriber& subscriber) {
  auto watcher = std::make_shared<NameWatcher>(
      Copy(pattern), is_prefix, subscriber.actor_, subscriber.tell_);
  {
    absl::MutexLock lock(&mu_);
    if (subscriber.is_actor_) {
      absl::Status status = system_.ObserveEnd(subscriber.actor_, *this);
      if (!status.ok()) return AboutName(pattern, status);
    }
    std::vector<NameEvent> present;
    for (auto& [name, actor] : table_.List(
             [&](const std::string& name) { return watcher->Covers(name); })) {
      present.push_back(
          {NameEvent::Kind::kAppeared, std::move(name), actor, AnyActorRef()});
    }
    InWhole([&] {
      mu_.AssertHeld();
      watchers_.Add(watcher, std::move(present));
    });
  }
  watchers_.Tell();
  return Subscription(std::move(watcher));
}

}  // namespace troupe
