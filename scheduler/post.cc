// The wake token of a closure stays with its owner from the first: nobody else
// can reach a closure. It may be given away whenever it waits.
#include "troupe/scheduler/post.h"

#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/log.h"
#include "troupe/base/ownership.h"

namespace troupe::internal {

const RunnableType PostedClosure::kType = {
    .run = Run,
    .woken = [](Runnable&, Worker&) { return true; },
    .returned = Returned,
    .release = [](Runnable&, Worker&) { return true; },
    .name = Name,
};

// What a closure becomes whose turn lost its seat: the worker still looks at
// the runnable after `returned`, so it is freed in a turn of its own.
const RunnableType PostedClosure::kSpentType = {
    .run = Finish,
    .woken = [](Runnable&, Worker&) { return true; },
    .returned = nullptr,  // Its turn cannot lose the seat.
    .release = [](Runnable&, Worker&) { return true; },
    .name = Name,
};

PostedClosure::PostedClosure(std::source_location location)
    : location_(location) {
  type = &kType;
}

bool PostedClosure::Run(Runnable& runnable, Worker& worker) {
  auto& closure = static_cast<PostedClosure&>(runnable);
  Executor& executor = worker.executor();
  LeaveForUserCode();
  const absl::Status status = closure.Call();
  if (!status.ok()) {
    executor.logger().Log(
        LogSeverity::kError,
        absl::StrCat("a posted closure failed: ", status.ToString()),
        closure.location_);
  }
  if (!ReturnFromUserCode()) return false;
  return Finish(runnable, worker);
}

bool PostedClosure::Finish(Runnable& runnable, Worker&) {
  delete static_cast<PostedClosure*>(&runnable);
  return true;
}

bool PostedClosure::Returned(Runnable& runnable, Worker&) {
  runnable.type = &kSpentType;
  return true;
}

std::string PostedClosure::Name(const Runnable& runnable) {
  const std::source_location location =
      static_cast<const PostedClosure&>(runnable).location_;
  return absl::StrCat("the closure posted at ", location.file_name(), ":",
                      location.line());
}

namespace {

// Makes the closure the calling thread's worker's, if that is one that `fits`.
template <typename Fits>
bool ScheduleHere(std::unique_ptr<PostedClosure>& closure, Fits fits) {
  const bool here =
      EnterSeat() != OwnerTag::kNoSeat && fits(*this_thread.worker);
  if (here) {
    Worker& worker = *this_thread.worker;
    PostedClosure& scheduled = *closure.release();
    worker.AdoptNew(scheduled, /*reached=*/false);
    worker.Schedule(scheduled);
  }
  LeaveSeat();
  return here;
}

}  // namespace

void Post(Executor& executor, std::unique_ptr<PostedClosure> closure) {
  const auto fits = [&executor](const Worker& worker) {
    return &worker.executor() == &executor &&
           worker.kind() == Worker::Kind::kShared;
  };
  if (!ScheduleHere(closure, fits)) executor.Inject(*closure.release());
}

void Post(Worker& worker, std::unique_ptr<PostedClosure> closure) {
  const auto fits = [&worker](const Worker& mine) { return &mine == &worker; };
  if (!ScheduleHere(closure, fits)) worker.Deliver(*closure.release());
}

}  // namespace troupe::internal
