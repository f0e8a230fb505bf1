// What the runtime owes to somebody who waits: how an actor has started or
// ended, whether there was space. The envelope of the answer is made when the
// wait begins, so that answering cannot fail.
//
// Ownership: move-only; of the duty. Dropped, it answers what it was made with.
// Thread safety: a value. Answers anywhere: in the seat or outside, and under a
// lock.
#ifndef TROUPE_ACTOR_INTERNAL_OWED_ANSWER_H_
#define TROUPE_ACTOR_INTERNAL_OWED_ANSWER_H_

#include <utility>

#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

template <typename T>
class OwedAnswer {
 public:
  // Nobody waits.
  OwedAnswer() = default;
  // `by_default` is what a drop says.
  OwedAnswer(const ReplyRoute& route, T by_default)
      : route_(route), reply_(MakeReply(std::move(by_default))) {}
  OwedAnswer(OwedAnswer&&) noexcept = default;
  OwedAnswer& operator=(OwedAnswer&& other) noexcept {
    if (this != &other) {
      Send();
      route_ = other.route_;
      reply_ = std::move(other.reply_);
    }
    return *this;
  }
  ~OwedAnswer() { Send(); }

  // REQUIRES: somebody waits.
  void Give(T answer) && {
    SetDefault(std::move(answer));
    Send();
  }
  // What a drop says from now on. REQUIRES: somebody waits.
  void SetDefault(T answer) { reply_->template As<T>() = std::move(answer); }
  // Nobody waits any more.
  void Forget() { reply_.reset(); }
  const ReplyRoute& route() const { return route_; }
  bool IsOwed() const { return reply_ != nullptr; }
  bool IsOwedTo(const ReplyRoute& route) const { return route_.IsSame(route); }

 private:
  void Send() {
    // The last thing that is touched: who waited may end this.
    if (reply_ != nullptr) PushReply(route_, reply_.release());
  }

  ReplyRoute route_;
  EnvelopePtr reply_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_OWED_ANSWER_H_
