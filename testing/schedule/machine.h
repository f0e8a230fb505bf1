// What plays the runs of an exploration; explore.h is how tests see it.
#ifndef TROUPE_TESTING_SCHEDULE_MACHINE_H_
#define TROUPE_TESTING_SCHEDULE_MACHINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/testing/schedule/choices.h"
#include "troupe/testing/schedule/fiber.h"
#include "troupe/testing/schedule/memory.h"
#include "troupe/testing/schedule/options.h"

namespace troupe::schedule::internal {

class Machine {
 public:
  explicit Machine(const Options& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The one whose run is going on. REQUIRES: there is one.
  static Machine& Current();

  // -- for Explore() ---------------------------------------------------------

  // Plays one run. Returns whether all went well.
  bool Play(Chooser& chooser, absl::FunctionRef<void()> body, bool with_trace);

  // Of the last run.
  const std::string& failure() const { return failure_; }
  const std::vector<std::string>& trace() const { return trace_; }
  const std::vector<uint8_t>& choices() const { return choices_; }

  // -- for the body and its threads -------------------------------------------

  void Spawn(std::string name, std::function<void()> body);
  void Join();
  int ChooseData(int options);
  void Label(const void* begin, size_t size_bytes, std::string label);
  void Fail(absl::string_view message);
  void Note(absl::string_view text);

  int AddLocation(uint64_t value) {
    return memory_.AddLocation(current_, value);
  }
  struct Outcome {
    uint64_t value;  // What was there before.
    bool exchanged;  // Of compare-exchanges.
    bool stale = false;
  };
  Outcome Perform(const void* object, int location, Operation operation);
  void LightBarrier();
  void HeavyBarrier();

  // Returns false only with `may_end`, when the run is over.
  bool Pause(bool may_end);

  void ReadCell(const void* object, CellState& cell);
  void WriteCell(const void* object, CellState& cell);
  // As a write, but throws nothing: the run ends at the next switch point.
  void EndCell(const void* object, CellState& cell);

 private:
  // Unwinds the threads of a run that failed.
  struct Abandoned {};

  struct Awaited {
    int location;
    uint32_t store;
  };
  struct Thread {
    std::unique_ptr<Fiber> fiber;  // Kept from run to run.
    std::string name;
    std::function<void()> body;
    bool ended = true;
    bool waits = false;
    bool may_end = false;         // While it waits.
    std::vector<Awaited> loaded;  // Since it last paused.
    // The same between the two pauses before.
    std::vector<Awaited> loaded_before;
  };
  struct Labelled {
    const char* begin;
    size_t size_bytes;
    std::string label;
  };

  void Serve(int number);
  void SwitchPoint();
  void SwitchTo(int next);
  bool CanGoOn(int number) const;
  // Returns the body's number when all threads have ended.
  int PickNext();
  int PickEnabled();
  int WhenNobodyCanGoOn();
  int Choose(ChoiceKind kind, absl::Span<const int> threads, int options);
  void NoteFailure(absl::string_view message);

  bool PlaysStaleReads() const;
  Outcome Apply(int location, const Operation& operation);
  Outcome Load(int location, std::memory_order order);
  Outcome CompareExchange(int location, const Operation& operation);
  void Loaded(int location, uint32_t store);

  absl::string_view LabelOf(const void* object) const;
  void Trace(const void* object, int location, const Operation& operation,
             const Outcome& outcome);

  const Options& options_;
  Fiber home_;
  std::array<Thread, kMaxThreads> threads_;
  bool closing_ = false;

  // Of the current run.
  Chooser* chooser_ = nullptr;
  Memory memory_;
  int spawned_ = 0;
  int current_ = 0;  // 0: the body.
  int steps_ = 0;
  bool joined_ = false;
  bool abandoned_ = false;
  bool over_ = false;  // Every thread waits in PauseOrEnd(), or has ended.
  std::vector<Labelled> labels_;
  std::string failure_;
  std::vector<uint8_t> choices_;
  bool with_trace_ = false;
  std::vector<std::string> trace_;
};

}  // namespace troupe::schedule::internal

#endif  // TROUPE_TESTING_SCHEDULE_MACHINE_H_
