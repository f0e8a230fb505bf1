// A PendingPublish is a message on its way to a port whose lossless subscribers
// may be behind: what PortRef::PublishWhenReady() returns. It does nothing
// until it is waited for; then it waits until each of them has room
// (SubscribeOptions::limit), and publishes.
//
//   absl::Status told = co_await port().PublishWhenReady(price);  // In a Task.
//   told = port.PublishWhenReady(price).Within(absl::Seconds(1)).Wait();
//
// Order: those that wait publish first come, first served. Of what they publish
// no lossless subscription ever has more waiting than its limit.
// Ownership: it holds the message. One that is dropped, or that could not be
// published, reaches nobody.
// Cancellation: destroying the coroutine that waits, or its actor, leaves the
// line.
// Blocking: Wait() blocks a plain thread; on an executor without threads it
// plays steps.
// Thread safety: none; it may be waited for on another thread than the one that
// made it.
//
// Errors:
//   kAborted             the port is gone
//   kDeadlineExceeded    there was no room in time
//   kCancelled           the request that is handled was given up
//   kFailedPrecondition  Wait() in a handler, which must not block; co_await
//                        outside of an actor, or for room for the actor itself
#ifndef TROUPE_STREAM_PENDING_PUBLISH_H_
#define TROUPE_STREAM_PENDING_PUBLISH_H_

#include <coroutine>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/answer_wait.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/stream/internal/port_core.h"

namespace troupe {

namespace internal {

class PublishWait final : public AnswerWait, private PublishWaiter {
 public:
  PublishWait(std::shared_ptr<PortCore> port, const MessageType& type,
              SharedBody body, absl::Duration timeout)
      : AnswerWait(timeout),
        port_(std::move(port)),
        type_(type),
        body_(std::move(body)) {}
  ~PublishWait();

  bool await_suspend(std::coroutine_handle<> waiting);
  absl::Status await_resume();

 private:
  std::string What() const override;
  void OnGiveUp() override;
  void OnTurn(bool granted) override;
  // Whether room is waited for that only this actor can make.
  bool WaitsForItself() const;

  const std::shared_ptr<PortCore> port_;
  const MessageType& type_;
  SharedBody body_;
  // Both are whoever's who gives the turn, under the port's lock, from when
  // this is in line until it has left it or the answer has come.
  OwedAnswer<bool> answer_;
  PortCore::Turn turn_ = PortCore::Turn::kRefused;
  bool is_in_line_ = false;  // Or has left it without knowing.
};

}  // namespace internal

class [[nodiscard]] PendingPublish {
 public:
  // How long a wait for room lasts, unless it is told otherwise; in a handler
  // no longer than the deadline of its request.
  static constexpr absl::Duration kDefaultTimeout = absl::Seconds(5);

  PendingPublish(std::shared_ptr<internal::PortCore> port,
                 const MessageType& type, internal::SharedBody body)
      : port_(std::move(port)), type_(&type), body_(std::move(body)) {}

  PendingPublish&& Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return std::move(*this);
  }

  // In a Task of an actor.
  internal::PublishWait operator co_await() && {
    return internal::PublishWait(std::move(port_), *type_, std::move(body_),
                                 timeout_);
  }

  // On a plain thread.
  absl::Status Wait() &&;

 private:
  std::shared_ptr<internal::PortCore> port_;
  const MessageType* type_;
  internal::SharedBody body_;
  absl::Duration timeout_ = kDefaultTimeout;
};

}  // namespace troupe

#endif  // TROUPE_STREAM_PENDING_PUBLISH_H_
