// A Runnable with a mailbox, for tests of the scheduler: it follows the whole
// protocol of base/ownership.h, with messages that are three numbers.
//
//   TestCell echo("echo", [&](TestCell& self, const TestMessage& message) {
//     other.Send({.from = 1, .sequence = message.sequence});
//   });
//   echo.Start(*executor);
//   echo.Send({.from = 0, .sequence = 1});
//
// A cell has a timer as well, which takes the ways of the cell's moves; it
// needs the locals of TestOutbox. When it fires, the cell gets a message
// {.from = TestCell::kTimer, .sequence = the tick for which it was set}.
//
// Ownership: a cell outlives the executor that runs it, or at least what is
// sent to it.
// Thread safety: Send() may be called from any thread, and in handlers; the
// timer is set and cancelled in the cell's own handlers.
#ifndef TROUPE_SCHEDULER_INTERNAL_TEST_CELL_H_
#define TROUPE_SCHEDULER_INTERNAL_TEST_CELL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "troupe/base/clock.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

struct TestMessage {
  int from = 0;
  uint64_t sequence = 0;
  int64_t value = 0;
};

class TestCell : public Runnable {
 public:
  using Handler = absl::AnyInvocable<void(TestCell&, const TestMessage&)>;

  static constexpr int kTimer = -1;

  TestCell(absl::string_view name, Handler handler);
  // What was not handled is dropped.
  ~TestCell();

  // Gives the cell to a worker; once.
  void Start(Executor& executor) { executor.Inject(*this); }
  void StartOn(Worker& worker) { worker.Deliver(*this); }

  void Send(const TestMessage& message);

  // Makes the timer fire at or after `time`; moves it if it is set. A handler
  // that has lost its seat only leaves word what is to be done when it returns.
  void SetTimer(MonotonicTime time);
  void CancelTimer() { SetTimer(MonotonicTime::InfiniteFuture()); }

  // How a sender wakes an idle cell of a quiet worker: by bringing the cell to
  // its own worker, or by waking the cell's. To be set before the start.
  void set_claimable(bool claimable) { claimable_ = claimable; }

  const std::string& name() const { return name_; }

 private:
  friend class TestOutbox;

  struct Node {
    Node* next;
    TestMessage message;
  };

  struct Timer : TimerNode {
    explicit Timer(TestCell& its_cell) : cell(its_cell) {}
    TestCell& cell;
    // Pending for that time unless the cell is on its way. Infinite: not set.
    MonotonicTime time = MonotonicTime::InfiniteFuture();
  };

  static bool Run(Runnable& runnable, Worker& worker);
  static bool Woken(Runnable& runnable, Worker& worker);
  static bool Returned(Runnable& runnable, Worker& worker);
  static bool Release(Runnable& runnable, Worker& worker);
  static void Claimed(Runnable& runnable, Worker& from);
  static std::string Name(const Runnable& runnable);
  static const RunnableType kType;

  void SendFromTurn(Worker& worker, uint64_t tag, Node* node);
  // Pushes a chain; `claimer`, if any, is the worker that the caller drives.
  void Push(Node* newest, Node* oldest, Worker* claimer);

  // -- owner only
  void SetTimerOn(Worker& worker, MonotonicTime time);
  void TimerDue(Worker& worker);
  void Append(Node* node);
  void Drain();
  // Whether there is work; if not, puts the token back into the word.
  bool WantsTurn();

  const std::string name_;
  Handler handler_;
  bool claimable_ = true;

  // Owner only.
  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  bool has_token_ = false;
  Timer timer_{*this};

  // Of a handler that lost its seat, until it returns: to what it set the
  // timer.
  std::optional<MonotonicTime> left_word_;

  MailWord<Node> word_;
};

// Holds back what a worker's cells send to cells of other workers, until they
// have sent to kReceivers others, or their turn ends.
class TestOutbox final : public WorkerLocal {
 public:
  static constexpr int kReceivers = 4;

  explicit TestOutbox(Worker& worker) : worker_(worker) {}

  // For Executor::SetLocals().
  static std::unique_ptr<WorkerLocal> Make(Worker& worker) {
    return std::make_unique<TestOutbox>(worker);
  }

  void Flush() override;
  void TimerDue(TimerNode& timer) override {
    static_cast<TestCell::Timer&>(timer).cell.TimerDue(worker_);
  }

 private:
  friend class TestCell;

  struct Chain {
    TestCell* receiver;
    TestCell::Node* newest;
    TestCell::Node* oldest;
  };

  void Add(TestCell& receiver, TestCell::Node* node);

  Worker& worker_;
  std::array<Chain, kReceivers> chains_;
  int used_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_TEST_CELL_H_
