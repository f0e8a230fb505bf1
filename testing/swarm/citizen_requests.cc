// What a citizen asks supervisors.
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/reply_of.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/testing/swarm/citizen.h"
#include "troupe/testing/swarm/warden.h"

namespace troupe::swarm {

template <typename M, typename... Args>
Task<bool> Citizen::AskWarden(Frame& frame, SupervisorRef warden, Number number,
                              int64_t deadline_ns, Args... args) {
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, number,
                                  std::min(world_.After(within), deadline_ns)));
  auto call = warden.Call<M>(std::move(args)...);
  frame.Leave();
  const auto outcome = co_await std::move(call).Within(within);
  frame.Enter();
  open.EndByOther();
  if constexpr (std::is_same_v<M, StartChild> ||
                std::is_same_v<M, RestartChild>) {
    if (outcome.ok()) {
      world_.restarts.SaidToRun(world_.lives.NumberOf(outcome->id()));
    }
  }
  const absl::Status status = [&outcome] {
    if constexpr (std::is_same_v<decltype(outcome), const absl::Status>) {
      return outcome;
    } else {
      return outcome.status();
    }
  }();
  co_return status.ok() || Delivery(status) == DeliveryState::kAnswered;
}

Task<void> Citizen::AwaitStartChild(Frame& frame, int64_t deadline_ns) {
  const uint32_t supervisor =
      static_cast<uint32_t>(world_.Uniform(world_.restarts.supervisors()));
  const SupervisorRef warden = WardenRef(world_, supervisor);
  if (warden.IsNull() ||
      world_.lives.count() >= world_.features.most_actors()) {
    co_return;
  }
  ChildSpec child = MakeAddedChild(world_, supervisor);
  const Number number = world_.restarts.instance(supervisor);
  (void)co_await AskWarden<StartChild>(frame, warden, number, deadline_ns,
                                       std::move(child));
}

Task<void> Citizen::AwaitSupervisor(Frame& frame, int64_t deadline_ns) {
  Restarts& restarts = world_.restarts;
  if (restarts.children() == 0) co_return;
  const uint64_t what = world_.Uniform(8);
  if (what == 0) {
    co_await AwaitStartChild(frame, deadline_ns);
    co_return;
  }
  const uint32_t child =
      static_cast<uint32_t>(world_.Uniform(restarts.children()));
  const SupervisorRef warden = WardenRef(world_, restarts.supervisor_of(child));
  if (warden.IsNull()) co_return;
  const Number number = restarts.instance(restarts.supervisor_of(child));
  const ChildName which(restarts.id_of(child));
  if (what == 1) {
    (void)co_await AskWarden<GetChild>(frame, warden, number, deadline_ns,
                                       which);
    co_return;
  }
  if (what == 2) {
    (void)co_await AskWarden<GetTree>(frame, warden, number, deadline_ns);
    co_return;
  }
  restarts.ByHandBegins(child);
  bool answered;
  if (what < 5) {
    answered = co_await AskWarden<TerminateChild>(frame, warden, number,
                                                  deadline_ns, which);
  } else if (what < 7) {
    answered = co_await AskWarden<RestartChild>(frame, warden, number,
                                                deadline_ns, which);
  } else {
    answered = co_await AskWarden<DeleteChild>(frame, warden, number,
                                               deadline_ns, which);
  }
  // Else it may be done later.
  if (answered) restarts.ByHandEnds(child, number);
}

}  // namespace troupe::swarm
