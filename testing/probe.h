// A Probe is an actor that a test holds in its hands: it keeps what it is sent
// until the test asks for it.
//
//   testing::Probe<Pong> probe(system);
//   player.Send<Ping>(probe.ref(), 7);
//   EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Field(&Pong::round, 7)));
//   EXPECT_THAT(probe.ExpectNothing(absl::Seconds(1)), IsOk());
//
// A request comes with the duty to answer it:
//
//   testing::Probe<Lookup> server(system);
//   ...
//   absl::StatusOr<testing::ReceivedRequest<Lookup>> asked =
//       server.Expect<Lookup>();
//   asked->reply.Send(address);
//
// Order: as for any actor: messages of one sender come in the order sent.
// Ownership: of its actor, which is killed with it, and of what it received.
// Blocking: what waits blocks on a system with threads, and plays a
// deterministic one, whose time is virtual. Not to be used in handlers.
// Thread safety: one thread at a time; ref() is for anybody.
// Errors: name the types and times of what came, counted from when the probe
// was made.
#ifndef TROUPE_TESTING_PROBE_H_
#define TROUPE_TESTING_PROBE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/reply_to.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/testing/internal/probe_inbox.h"

namespace troupe::testing {

// A request M, and what answers it; dropped unanswered, it cancels the call.
template <RequestType M>
struct ReceivedRequest {
  M message;
  ReplyTo<typename ReplyOf<M>::type> reply;
};

namespace internal {

template <typename M>
struct ReceivedAs {
  using type = M;
};
template <RequestType M>
struct ReceivedAs<M> {
  using type = ReceivedRequest<M>;
};

}  // namespace internal

// What a probe makes of an M: the message itself, or a ReceivedRequest<M>.
template <typename M>
using Received = typename internal::ReceivedAs<M>::type;

namespace internal {

// One handler of a probe's actor, D.
template <typename D, typename M>
class ProbeHandler {
 public:
  void Handle(M&& message) {
    static_cast<D*>(this)->inbox().Push(
        kMessageType<M>, std::make_shared<M>(std::move(message)));
  }
};
template <typename D, RequestType M>
class ProbeHandler<D, M> {
 public:
  void Handle(M&& message, ReplyTo<typename ReplyOf<M>::type> reply) {
    static_cast<D*>(this)->inbox().Push(
        kMessageType<M>, std::shared_ptr<void>(new ReceivedRequest<M>{
                             std::move(message), std::move(reply)}));
  }
};

template <typename List>
class ProbeActor;
template <typename... Ms>
class ProbeActor<TypeList<Ms...>> final
    : public Actor<Ms...>,
      public ProbeHandler<ProbeActor<TypeList<Ms...>>, Ms>... {
 public:
  explicit ProbeActor(std::shared_ptr<ProbeInbox> inbox)
      : inbox_(std::move(inbox)) {}

  using ProbeHandler<ProbeActor, Ms>::Handle...;
  ProbeInbox& inbox() { return *inbox_; }

 private:
  const std::shared_ptr<ProbeInbox> inbox_;
};

template <typename List>
struct ReceivedIn;
template <typename... Ms>
struct ReceivedIn<TypeList<Ms...>> {
  using type = std::variant<Received<Ms>...>;
};

}  // namespace internal

template <typename... Ps>
class Probe {
 public:
  using Messages = MessagesOf<Ps...>;
  // Any of them, as received.
  using AnyReceived = typename internal::ReceivedIn<Messages>::type;

  // How long a test waits for what should come at once: that long only if it
  // fails.
  static constexpr absl::Duration kPatience = absl::Seconds(10);

  // `name` is for errors. `system` outlives the probe.
  // REQUIRES: the system is not being shut down.
  explicit Probe(ActorSystem& system, std::string name = "probe")
      : inbox_(std::make_shared<internal::ProbeInbox>(std::move(name),
                                                      system.executor())) {
    absl::StatusOr<ActorRef<Ps...>> spawned =
        system.Spawn<internal::ProbeActor<Messages>>(inbox_);
    TROUPE_CHECK(spawned.ok(), spawned.status().ToString());
    ref_ = *spawned;
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { ref_.Kill(); }

  // The actor, to be given to whom it may concern. It may be watched, linked to
  // and stopped as any other.
  ActorRef<Ps...> ref() const { return ref_; }

  // Takes the next message, which must be an M that is there `within` that
  // time. kFailedPrecondition: it is none; it stays where it is.
  // kDeadlineExceeded: none came.
  template <typename M>
  absl::StatusOr<Received<M>> Expect(absl::Duration within = kPatience) {
    CheckMessage<M>();
    const MessageType* const first = inbox_->Await(inbox_->Now() + within);
    if (first != &kMessageType<M>) {
      return WhyNot(kMessageType<M>.name, within);
    }
    return Take<M>();
  }

  // As Expect(), but drops what comes before the first M.
  // kDeadlineExceeded: no M came in that time; what came after it stays.
  template <typename M>
  absl::StatusOr<Received<M>> SkipTo(absl::Duration within = kPatience) {
    CheckMessage<M>();
    const MonotonicTime deadline = inbox_->Now() + within;
    while (const MessageType* const first = inbox_->Await(deadline)) {
      if (inbox_->FirstCameAfter(deadline)) break;
      if (first == &kMessageType<M>) return Take<M>();
      (void)inbox_->Take();  // Not what is looked for.
    }
    return absl::DeadlineExceededError(
        WhyNot(kMessageType<M>.name, within).message());
  }

  // Takes the next message, whatever it is. kDeadlineExceeded: none came.
  absl::StatusOr<AnyReceived> Next(absl::Duration within = kPatience) {
    const MessageType* const first = inbox_->Await(inbox_->Now() + within);
    if (first == nullptr) return WhyNot("a message", within);
    return TakeAny(*first, Messages());
  }

  // Waits for all of that time, if nothing comes.
  // kFailedPrecondition: something came; it stays where it is.
  absl::Status ExpectNothing(absl::Duration during) {
    if (inbox_->Await(inbox_->Now() + during) == nullptr) {
      return absl::OkStatus();
    }
    return WhyNot("nothing", during);
  }

 private:
  template <typename M>
  static constexpr void CheckMessage() {
    static_assert(troupe::internal::kListContains<Messages, M>,
                  "this probe does not take this message: it is in none of its "
                  "protocols");
  }
  absl::Status WhyNot(std::string_view expected, absl::Duration within) const {
    return inbox_->WhyNot(expected, within,
                          ref_.status() == ActorStatus::kStopped);
  }
  template <typename M>
  Received<M> Take() {
    const std::shared_ptr<void> taken = inbox_->Take();
    return std::move(*static_cast<Received<M>*>(taken.get()));
  }
  template <typename... Ms>
  AnyReceived TakeAny(const MessageType& type, TypeList<Ms...>) {
    std::optional<AnyReceived> taken;
    (void)((&type == &kMessageType<Ms> &&
            (taken.emplace(std::in_place_type<Received<Ms>>, Take<Ms>()),
             true)) ||
           ...);
    return *std::move(taken);
  }

  const std::shared_ptr<internal::ProbeInbox> inbox_;
  ActorRef<Ps...> ref_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_PROBE_H_
