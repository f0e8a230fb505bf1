#include "troupe/supervision/internal/start_watch.h"

#include <utility>

#include "troupe/supervision/internal/supervision.h"

namespace troupe::internal {

StartWatch::StartWatch(Supervision& supervision, Cell& cell, ChildKey child)
    : supervision_(supervision), cell_(cell), child_(child) {
  HandlerState::Of(cell).calls().Add(*this);
}

StartWatch::~StartWatch() {
  if (!is_over_) (void)cell_.handler->calls().Take(number());
}

void StartWatch::OnReply(EnvelopePtr reply) {
  is_over_ = true;
  // The watch is gone on return.
  supervision_.OnStartAnswer(child_, std::move(reply->As<absl::Status>()));
}

void HookWait::await_suspend(std::coroutine_handle<> waiting) {
  place_ = this;
  RootTask& root = HandlerState::KeepCurrentRoot();
  Begin(root, waiting, limit_);
}

}  // namespace troupe::internal
