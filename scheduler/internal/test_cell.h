// A Runnable with a mailbox, for tests of the scheduler: it follows the whole
// protocol of base/ownership.h, with messages that are three numbers.
//
//   TestCell echo("echo", [&](TestCell& self, const TestMessage& message) {
//     other.Send({.from = 1, .sequence = message.sequence});
//   });
//   echo.Start(*executor);
//   echo.Send({.from = 0, .sequence = 1});
//
// Ownership: a cell outlives the executor that runs it, or at least what is
// sent to it.
// Thread safety: Send() may be called from any thread, and in handlers.
#ifndef TROUPE_SCHEDULER_INTERNAL_TEST_CELL_H_
#define TROUPE_SCHEDULER_INTERNAL_TEST_CELL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
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

  TestCell(absl::string_view name, Handler handler);
  // What was not handled is dropped.
  ~TestCell();

  // Gives the cell to a worker; once.
  void Start(Executor& executor) { executor.Inject(*this); }
  void StartOn(Worker& worker) { worker.Deliver(*this); }

  void Send(const TestMessage& message);

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

  static bool Run(Runnable& runnable, Worker& worker);
  static bool Woken(Runnable& runnable, Worker&);
  static bool Returned(Runnable& runnable, Worker&);
  static bool Release(Runnable& runnable, Worker&);
  static std::string Name(const Runnable& runnable);
  static const RunnableType kType;

  void SendFromTurn(Worker& worker, uint64_t tag, Node* node);
  // Pushes a chain; `claimer`, if any, is the worker that the caller drives.
  void Push(Node* newest, Node* oldest, Worker* claimer);

  // -- owner only
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
