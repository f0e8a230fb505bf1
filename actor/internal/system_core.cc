#include "troupe/actor/internal/system_core.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/base/check.h"
#include "troupe/scheduler/post.h"

namespace troupe::internal {
namespace {

// Ids that a worker takes at once.
constexpr uint64_t kWorkerShare = 4096;

}  // namespace

ActorLocal::~ActorLocal() {
  system_.Forget(*this);
  // An actor that ends last leaves nobody behind to see to them.
  MournStrangers(system_, burial_.Take());
}

void ActorLocal::TimerDue(TimerNode& timer) { CellTimerDue(timer); }

void ActorLocal::SetTurnAside(absl::FunctionRef<void()> play) {
  const HandlerContext kept = std::exchange(this_handler, HandlerContext());
  play();
  this_handler = kept;
}

void ActorLocal::TakeIds() {
  next_id_ = system_.TakeIds(kWorkerShare);
  end_of_ids_ = next_id_ + kWorkerShare;
}

bool ActorLocal::TidyUp() {
  return EnvelopePool::ReleaseSomeUnused() || CellPool::ReleaseSomeUnused();
}

void ActorLocal::EmptyCaches() {
  EnvelopePool::EmptyThreadCache();
  CellPool::EmptyThreadCache();
}

SystemCore::SystemCore(ActorSystem& system, std::unique_ptr<Executor> executor,
                       Logger logger, Limits limits)
    : system_(system),
      logger_(logger),
      limits_(limits),
      executor_(std::move(executor)) {}

SystemCore::~SystemCore() = default;

uint64_t SystemCore::TakeIds(uint64_t count) {
  absl::MutexLock lock(&mu_);
  if (end_of_ids_ - next_id_ < count) {
    next_id_ = IdSpace::TakeBlock(shared_from_this());
    end_of_ids_ = next_id_ + IdSpace::kBlockIds;
  }
  return std::exchange(next_id_, next_id_ + count);
}

void SystemCore::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
}

bool SystemCore::closed() {
  absl::MutexLock lock(&mu_);
  return closed_;
}

bool SystemCore::AdmitTopLevelSpawn() {
  absl::MutexLock lock(&mu_);
  if (closed_) return false;
  outside_.CountSpawn();
  return true;
}

void SystemCore::ReleaseThread(Worker& worker) {
  absl::MutexLock lock(&threads_mu_);
  if (!threads_ended_) executor_->ReleaseDedicatedWorker(worker);
}

void SystemCore::EndExecutor() {
  {
    // From here on workers go by themselves.
    absl::MutexLock lock(&threads_mu_);
    threads_ended_ = true;
  }
  const absl::Status status = executor_->Shutdown();
  TROUPE_CHECK(status.ok(), status.message());
  // What came too late for the last turns. No worker runs any more.
  std::vector<ActorLocal*> locals;
  {
    absl::MutexLock lock(&mu_);
    locals = locals_;
  }
  for (ActorLocal* const local : locals) {
    MournStrangers(*this, local->burial().Take());
  }
}

absl::Status SystemCore::RunBlocking(BlockingPool::Task&& task) {
  if (!executor_->has_threads()) {
    Post(*executor_, std::move(task));
    return absl::OkStatus();
  }
  BlockingPool* pool;
  {
    absl::MutexLock lock(&mu_);
    if (blocking_ == nullptr) {
      blocking_ = std::make_unique<BlockingPool>(BlockingPoolOptions{
          .max_threads = limits_.blocking_threads, .logger = logger_});
    }
    pool = blocking_.get();
  }
  return pool->Submit(std::move(task));
}

absl::Status SystemCore::EndBlocking(MonotonicTime deadline) {
  BlockingPool* pool;
  {
    absl::MutexLock lock(&mu_);
    pool = blocking_.get();
  }
  return pool != nullptr ? pool->Shutdown(deadline).status : absl::OkStatus();
}

std::unique_ptr<ActorLocal> SystemCore::MakeLocal() {
  auto local = std::make_unique<ActorLocal>(*this);
  absl::MutexLock lock(&mu_);
  locals_.push_back(local.get());
  return local;
}

void SystemCore::Forget(ActorLocal& local) {
  absl::MutexLock lock(&mu_);
  std::erase(locals_, &local);
  outside_.Add(local.count());
}

uint64_t SystemCore::RandomNumber() {
  absl::MutexLock lock(&mu_);
  if (!random_.has_value()) random_.emplace(executor_->NewSeed());
  return random_->NextUint64();
}

uint64_t SystemCore::LiveActors() {
  absl::MutexLock lock(&mu_);
  return SumOfActors([this](auto&& visit) {
    mu_.AssertHeld();
    visit(outside_);
    for (ActorLocal* const local : locals_) visit(local->count());
  });
}

void SystemCore::ForEachActor(absl::FunctionRef<void(Cell&, uint64_t)> visit) {
  CellPool::ForEach([&](Cell& cell) {
    const bool alive = Mailbox::Word::IsAlive(cell.Load());
    const uint64_t id = cell.id.load(std::memory_order_relaxed);
    if (alive && IdSpace::Find(id).get() == this) visit(cell, id);
  });
}

void SystemCore::EndTopLevelActors(bool kill) {
  std::vector<AnyActorRef> actors;
  ForEachActor([&](Cell& cell, uint64_t id) {
    if (!cell.IsChild()) actors.emplace_back(&cell, id);
  });
  std::sort(actors.begin(), actors.end(),
            [](const AnyActorRef& a, const AnyActorRef& b) {
              return a.id() > b.id();
            });
  for (const AnyActorRef& actor : actors) {
    if (kill) {
      actor.Kill();
    } else {
      actor.Stop(ExitReason::Shutdown());
    }
  }
}

std::string SystemCore::SomeLiveActor() {
  std::string name;
  ActorStatus least = ActorStatus::kStopped;
  ForEachActor([&](Cell& cell, uint64_t id) {
    const ActorStatus status = cell.StatusOf(id);
    const ActorType* const type = cell.SharedType();
    if (status >= least || type == nullptr) return;
    least = status;
    const std::string_view class_name = type->class_name;
    name = absl::StrCat(absl::string_view(class_name.data(), class_name.size()),
                        " ", ActorId(id).ToString());
  });
  return name;
}

void SystemCore::MournMessage(ActorId target, DeadLetter::Reason reason,
                              Envelope& envelope) {
  // An envelope of a source may stand for several, or for none any more.
  uint32_t messages =
      IsOfSource(envelope) ? SharedContentOf(envelope).Lose() : 1;
  for (; messages > 0; --messages) {
    MournUnknown(target, reason, envelope.type->name);
  }
}

void SystemCore::MournUnknown(ActorId target, DeadLetter::Reason reason,
                              std::string_view message_type) {
  dead_letters_.fetch_add(1, std::memory_order_relaxed);
  Publish(DeadLetter{target, reason, message_type});
}

absl::Status ParentsThreads(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat(what,
                   ": this process is a child of fork(), and the threads "
                   "of the system are its parent's; call exec"));
}

MonotonicTime TimeAfter(SystemCore& system, int64_t delay_ns) {
  // Plain numbers: this is most of what a timer takes, but for the clock.
  if (delay_ns <= 0) return TimeOfTurn(system);
  int64_t time_ns;
  if (__builtin_add_overflow(system.executor().clock().Now().ToNanoseconds(),
                             delay_ns, &time_ns)) {
    return MonotonicTime::InfiniteFuture();
  }
  return MonotonicTime::FromNanoseconds(time_ns);
}

}  // namespace troupe::internal
