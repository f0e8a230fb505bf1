// Closures on the scheduler alone, without actors.
//
//   ./bazelw run //examples:scheduler_closures
//
// prints
//
//   sum of squares: 338350
//   read on the pool: scheduler_closu
//   the alarm rang
#include <fstream>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/blocking_pool.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

namespace {

constexpr troupe::MonotonicTime kNoDeadline =
    troupe::MonotonicTime::InfiniteFuture();

int SumOfSquares(troupe::Executor& executor, troupe::Worker& adder) {
  int sum = 0;  // The adder's: its closures run one after the other.
  int left = 100;
  troupe::Event done;
  for (int i = 1; i <= 100; ++i) {
    troupe::Post(executor, [&, i] {
      const int square = i * i;
      troupe::Post(adder, [&, square] {
        sum += square;
        if (--left == 0) done.Set();
      });
    });
  }
  executor.WaitFor(done, kNoDeadline);
  return sum;
}

std::string ReadOnPool(troupe::Executor& executor, troupe::BlockingPool& pool) {
  std::string text;
  troupe::Event done;
  const absl::Status accepted = pool.Submit([&] {
    std::string line;
    std::getline(std::ifstream("/proc/self/comm"), line);  // May block.
    troupe::Post(executor, [&, line] {
      text = line;
      done.Set();
    });
  });
  if (!accepted.ok()) return accepted.ToString();
  executor.WaitFor(done, kNoDeadline);
  return text;
}

void AwaitAlarm(troupe::Executor& executor) {
  troupe::Event rang;
  troupe::Alarm alarm([&rang] { rang.Set(); });
  executor.SetAlarm(alarm, executor.clock().Now() + absl::Milliseconds(20));
  executor.WaitFor(rang, kNoDeadline);
  executor.CancelAlarm(alarm);  // When this returns, it is no longer ringing.
}

}  // namespace

int main() {
  auto executor = troupe::ThreadExecutor::Create({.workers = 2}).value();
  troupe::Worker& adder = *executor->StartDedicatedWorker("adder").value();
  std::cout << "sum of squares: " << SumOfSquares(*executor, adder) << "\n";
  troupe::BlockingPool pool({.max_threads = 4});
  std::cout << "read on the pool: " << ReadOnPool(*executor, pool) << "\n";
  AwaitAlarm(*executor);
  std::cout << "the alarm rang\n";
}
