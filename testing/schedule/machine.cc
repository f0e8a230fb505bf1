#include "troupe/testing/schedule/machine.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"

namespace troupe::schedule::internal {
namespace {

// The one whose run is going on.
Machine* playing = nullptr;

absl::string_view NameOf(Operation::Kind kind) {
  switch (kind) {
    case Operation::Kind::kLoad:
      return "load";
    case Operation::Kind::kStore:
      return "store";
    case Operation::Kind::kExchange:
      return "exchange";
    case Operation::Kind::kCompareExchangeWeak:
    case Operation::Kind::kCompareExchangeStrong:
      return "compare_exchange";
    case Operation::Kind::kFetchAdd:
      return "fetch_add";
    case Operation::Kind::kFetchAnd:
      return "fetch_and";
    case Operation::Kind::kFetchOr:
      return "fetch_or";
    case Operation::Kind::kLightBarrier:
      return "light barrier";
    case Operation::Kind::kHeavyBarrier:
      return "heavy barrier";
  }
  return "?";
}

absl::string_view NameOf(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

bool IsCompareExchange(Operation::Kind kind) {
  return kind == Operation::Kind::kCompareExchangeWeak ||
         kind == Operation::Kind::kCompareExchangeStrong;
}

// What a read-modify-write of `current` stores.
uint64_t Modified(const Operation& operation, uint64_t current) {
  switch (operation.kind) {
    case Operation::Kind::kFetchAdd:
      return current + operation.operand;
    case Operation::Kind::kFetchAnd:
      return current & operation.operand;
    case Operation::Kind::kFetchOr:
      return current | operation.operand;
    default:
      return operation.operand;
  }
}

}  // namespace

Machine::Machine(const Options& options) : options_(options) {
  threads_[0].name = "body";
}

Machine::~Machine() {
  closing_ = true;
  for (Thread& thread : threads_) {
    if (thread.fiber != nullptr && thread.fiber->begun()) {
      Fiber::Switch(home_, *thread.fiber);
    }
  }
}

Machine& Machine::Current() {
  TROUPE_CHECK(playing != nullptr, "there is no run: see Explore()");
  return *playing;
}

bool Machine::Play(Chooser& chooser, absl::FunctionRef<void()> body,
                   bool with_trace) {
  TROUPE_CHECK(playing == nullptr, "an exploration within an exploration");
  struct Playing {
    explicit Playing(Machine* machine) { playing = machine; }
    ~Playing() { playing = nullptr; }
  } scope(this);
  chooser_ = &chooser;
  memory_.Reset();
  spawned_ = 0;
  current_ = 0;
  steps_ = 0;
  joined_ = false;
  abandoned_ = false;
  over_ = false;
  labels_.clear();
  failure_.clear();
  choices_.clear();
  with_trace_ = with_trace;
  trace_.clear();
  try {
    body();
    TROUPE_CHECK(joined_, "the body of a run must call Join()");
  } catch (const Abandoned&) {
  }
  for (Thread& thread : threads_) thread.body = nullptr;
  return failure_.empty();
}

void Machine::Spawn(std::string name, std::function<void()> body) {
  TROUPE_CHECK(current_ == 0 && !joined_, "only the body spawns threads");
  const int number = memory_.Fork(0);
  spawned_ = number;
  Thread& thread = threads_[number];
  thread.name = std::move(name);
  thread.body = std::move(body);
  thread.ended = false;
  thread.waits = false;
  thread.loaded.clear();
  thread.loaded_before.clear();
  if (thread.fiber == nullptr) {
    thread.fiber =
        std::make_unique<Fiber>(home_, [this, number] { Serve(number); });
  }
}

// A fiber outlives its runs: a stack costs more than a run.
void Machine::Serve(int number) {
  Thread& self = threads_[number];
  while (!closing_) {
    if (!abandoned_) {
      try {
        self.body();
      } catch (const Abandoned&) {
      } catch (const std::exception& e) {
        NoteFailure(absl::StrCat("an exception left the thread: ", e.what()));
      } catch (...) {
        NoteFailure("an exception left the thread");
      }
    }
    self.ended = true;
    SwitchTo(PickNext());
  }
}

void Machine::Join() {
  TROUPE_CHECK(current_ == 0 && !joined_, "only the body joins, and once");
  joined_ = true;
  SwitchTo(PickNext());
  if (abandoned_) throw Abandoned();
  for (int i = 1; i <= spawned_; ++i) memory_.Join(0, i);
}

void Machine::SwitchTo(int next) {
  const int from = current_;
  if (next == from) return;
  current_ = next;
  Fiber::Switch(from == 0 ? home_ : *threads_[from].fiber,
                next == 0 ? home_ : *threads_[next].fiber);
}

void Machine::SwitchPoint() {
  if (current_ == 0) return;
  if (!abandoned_) {
    if (++steps_ > options_.max_steps) Fail("the run does not end");
    SwitchTo(PickNext());
  }
  // A destructor that runs because of the throw below gets on undisturbed.
  if (abandoned_ && std::uncaught_exceptions() == 0) throw Abandoned();
}

bool Machine::CanGoOn(int number) const {
  const Thread& thread = threads_[number];
  if (thread.ended) return false;
  if (!thread.waits || (over_ && thread.may_end)) return true;
  return std::any_of(thread.loaded.begin(), thread.loaded.end(),
                     [this](const Awaited& awaited) {
                       return memory_.Newest(awaited.location) > awaited.store;
                     });
}

int Machine::PickNext() {
  if (!abandoned_) {
    const int next = PickEnabled();
    return next != 0 ? next : WhenNobodyCanGoOn();
  }
  for (int i = 1; i <= spawned_; ++i) {
    if (!threads_[i].ended) return i;
  }
  return 0;
}

int Machine::PickEnabled() {
  std::array<int, kMaxThreads> able;
  int count = 0;
  const bool current_can = current_ != 0 && CanGoOn(current_);
  if (current_can) able[count++] = current_;
  for (int i = 1; i <= spawned_; ++i) {
    if (i != current_ && CanGoOn(i)) able[count++] = i;
  }
  if (count == 0) return 0;
  if (count == 1) return able[0];
  // Who waits is not preempted.
  const ChoiceKind kind = current_can && !threads_[current_].waits
                              ? ChoiceKind::kPreempt
                              : ChoiceKind::kThread;
  return able[Choose(kind, absl::MakeConstSpan(able.data(), count), count)];
}

int Machine::WhenNobodyCanGoOn() {
  std::string stuck;
  bool all_ended = true;
  for (int i = 1; i <= spawned_; ++i) {
    if (threads_[i].ended) continue;
    all_ended = false;
    if (threads_[i].may_end) continue;
    absl::StrAppend(&stuck, stuck.empty() ? "" : ", ", threads_[i].name);
  }
  if (all_ended) return 0;
  if (stuck.empty()) {
    over_ = true;
  } else {
    NoteFailure(
        absl::StrCat("deadlock: nobody will write what ", stuck, " waits for"));
  }
  return PickNext();
}

int Machine::Choose(ChoiceKind kind, absl::Span<const int> threads,
                    int options) {
  const int chosen =
      chooser_->Choose({.kind = kind,
                        .threads = threads,
                        .options = options,
                        .current = kind == ChoiceKind::kThread ? 0 : current_,
                        .past = memory_.Hash()});
  choices_.push_back(static_cast<uint8_t>(chosen));
  return chosen;
}

int Machine::ChooseData(int options) {
  TROUPE_CHECK(options > 0 && options < 256, "1 to 255 options");
  if (options == 1 || abandoned_) return 0;
  const int chosen = Choose(ChoiceKind::kData, {}, options);
  memory_.AddToPast(current_, static_cast<uint64_t>(chosen));
  return chosen;
}

void Machine::Label(const void* begin, size_t size_bytes, std::string label) {
  labels_.push_back(
      {static_cast<const char*>(begin), size_bytes, std::move(label)});
}

absl::string_view Machine::LabelOf(const void* object) const {
  const char* const at = static_cast<const char*>(object);
  for (const Labelled& labelled : labels_) {
    if (at >= labelled.begin && at < labelled.begin + labelled.size_bytes) {
      return labelled.label;
    }
  }
  return "";
}

void Machine::NoteFailure(absl::string_view message) {
  // What follows from a failure is none of its own.
  if (abandoned_) return;
  abandoned_ = true;
  failure_ = absl::StrCat(message, " (", threads_[current_].name, ")");
}

void Machine::Fail(absl::string_view message) {
  NoteFailure(message);
  if (std::uncaught_exceptions() == 0) throw Abandoned();
}

void Machine::Note(absl::string_view text) {
  if (!with_trace_) return;
  trace_.push_back(absl::StrCat(threads_[current_].name, ": ", text));
}

Machine::Outcome Machine::Perform(const void* object, int location,
                                  Operation operation) {
  SwitchPoint();
  if (options_.mutate != nullptr && !abandoned_) {
    operation.label = LabelOf(object);
    operation.thread = threads_[current_].name;
    operation.current = memory_.Value(location, memory_.Newest(location));
    options_.mutate(operation);
  }
  const Outcome outcome = operation.skip ? Outcome{operation.current, true}
                                         : Apply(location, operation);
  if (with_trace_) Trace(object, location, operation, outcome);
  return outcome;
}

Machine::Outcome Machine::Apply(int location, const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::kLoad:
      return Load(location, operation.order);
    case Operation::Kind::kCompareExchangeWeak:
    case Operation::Kind::kCompareExchangeStrong:
      return CompareExchange(location, operation);
    default:
      break;
  }
  const uint32_t newest = memory_.Newest(location);
  const uint64_t current = memory_.Value(location, newest);
  if (operation.kind == Operation::Kind::kStore) {
    memory_.Store(current_, location, operation.operand, operation.order);
  } else {
    memory_.ReadModifyWrite(current_, location, Modified(operation, current),
                            operation.order);
  }
  Loaded(location, newest + 1);
  return {current, true};
}

bool Machine::PlaysStaleReads() const {
  return options_.memory == MemoryModel::kWeak && current_ != 0 && !abandoned_;
}

Machine::Outcome Machine::Load(int location, std::memory_order order) {
  const uint32_t newest = memory_.Newest(location);
  uint32_t store = newest;
  if (PlaysStaleReads()) {
    const uint32_t oldest = memory_.OldestReadable(current_, location, order);
    if (oldest != newest) {
      store -= static_cast<uint32_t>(
          Choose(ChoiceKind::kRead, {}, static_cast<int>(newest - oldest) + 1));
    }
  }
  const uint64_t value = memory_.Load(current_, location, store, order);
  Loaded(location, store);
  return {value, true, store != newest};
}

Machine::Outcome Machine::CompareExchange(int location,
                                          const Operation& operation) {
  const uint32_t newest = memory_.Newest(location);
  const uint64_t current = memory_.Value(location, newest);
  bool exchanges = current == operation.expected;
  uint32_t store = newest;
  if (PlaysStaleReads()) {
    // The plain outcome, then a failure because of each store that may be read,
    // the youngest first; a weak one may fail for nothing, too.
    const auto fails_at = [&](uint32_t read) {
      return operation.kind == Operation::Kind::kCompareExchangeWeak ||
             memory_.Value(location, read) != operation.expected;
    };
    std::vector<uint32_t> failures;
    if (exchanges && fails_at(newest)) failures.push_back(newest);
    const uint32_t oldest =
        memory_.OldestReadable(current_, location, operation.failure_order);
    for (uint32_t older = newest; older > oldest; --older) {
      if (fails_at(older - 1)) failures.push_back(older - 1);
    }
    if (!failures.empty()) {
      const int chosen =
          Choose(ChoiceKind::kRead, {}, static_cast<int>(failures.size()) + 1);
      if (chosen > 0) {
        store = failures[chosen - 1];
        exchanges = false;
        // Failing for nothing reads what a success would have read.
        memory_.AddToPast(current_, 1);
      }
    }
  }
  if (exchanges) {
    memory_.ReadModifyWrite(current_, location, operation.operand,
                            operation.order);
    Loaded(location, newest + 1);
    return {current, true};
  }
  const uint64_t value =
      memory_.Load(current_, location, store, operation.failure_order);
  Loaded(location, store);
  return {value, false, store != newest};
}

void Machine::LightBarrier() {
  if (options_.memory == MemoryModel::kSequential) return;
  SwitchPoint();
  Operation operation{.kind = Operation::Kind::kLightBarrier};
  if (options_.mutate != nullptr && !abandoned_) options_.mutate(operation);
  if (!operation.skip) memory_.LightBarrier(current_);
}

void Machine::HeavyBarrier() {
  if (options_.memory == MemoryModel::kSequential) return;
  SwitchPoint();
  Operation operation{.kind = Operation::Kind::kHeavyBarrier};
  if (options_.mutate != nullptr && !abandoned_) options_.mutate(operation);
  if (!operation.skip) memory_.HeavyBarrier(current_);
  Note("heavy barrier");
}

void Machine::Loaded(int location, uint32_t store) {
  if (current_ == 0) return;
  for (Awaited& awaited : threads_[current_].loaded) {
    if (awaited.location == location) {
      awaited.store = store;
      return;
    }
  }
  threads_[current_].loaded.push_back({location, store});
}

bool Machine::Pause(bool may_end) {
  if (current_ == 0) Fail("the body cannot wait");
  Thread& self = threads_[current_];
  if (may_end && over_) return false;
  self.waits = true;
  self.may_end = may_end;
  SwitchPoint();
  self.waits = false;
  self.may_end = false;
  if (may_end && over_) {
    memory_.AddToPast(current_, 1);
    return false;
  }
  // A store is seen in the end: the next load does not find the same again.
  // Part of the past: who goes on is elsewhere than who is about to.
  for (const Awaited& awaited : self.loaded) {
    const uint32_t seen =
        std::min(awaited.store + 1, memory_.Newest(awaited.location));
    // What was loaded once may be read again as it was: a pause is no fence.
    const bool again =
        std::any_of(self.loaded_before.begin(), self.loaded_before.end(),
                    [&awaited](const Awaited& before) {
                      return before.location == awaited.location &&
                             before.store == awaited.store;
                    });
    if (again) memory_.Overtake(current_, awaited.location, seen);
    memory_.AddToPast(current_, uint64_t{seen} << 32 |
                                    static_cast<uint32_t>(awaited.location));
  }
  self.loaded_before = std::exchange(self.loaded, {});
  return true;
}

void Machine::ReadCell(const void* object, CellState& cell) {
  if (memory_.ReadCell(current_, cell) || abandoned_) return;
  Fail(absl::StrCat("data race: ", LabelOf(object), " is read, and was written",
                    " by ", threads_[cell.writer].name));
}

void Machine::WriteCell(const void* object, CellState& cell) {
  const int writer = cell.writer;
  if (memory_.WriteCell(current_, cell) || abandoned_) return;
  Fail(absl::StrCat("data race: ", LabelOf(object),
                    " is written, and was read or written by another (last ",
                    "writer: ", threads_[writer].name, ")"));
}

void Machine::EndCell(const void* object, CellState& cell) {
  const int writer = cell.writer;
  if (memory_.WriteCell(current_, cell)) return;
  NoteFailure(absl::StrCat("data race: ", LabelOf(object),
                           " is destroyed, and was read or written by another ",
                           "(last writer: ", threads_[writer].name, ")"));
}

void Machine::Trace(const void* object, int location,
                    const Operation& operation, const Outcome& outcome) {
  absl::string_view label = LabelOf(object);
  std::string line = absl::StrCat(
      threads_[current_].name, ": ", NameOf(operation.kind), "(",
      label.empty() ? absl::StrCat("atomic ", location) : std::string(label));
  if (IsCompareExchange(operation.kind)) {
    absl::StrAppend(&line, ", 0x", absl::Hex(operation.expected), " -> 0x",
                    absl::Hex(operation.operand));
  } else if (operation.kind != Operation::Kind::kLoad) {
    absl::StrAppend(&line, ", 0x", absl::Hex(operation.operand));
  }
  absl::StrAppend(&line, ", ", NameOf(operation.order), ")");
  if (operation.kind != Operation::Kind::kStore) {
    absl::StrAppend(&line, outcome.exchanged ? " = 0x" : " fails, is 0x",
                    absl::Hex(outcome.value));
  }
  if (outcome.stale) absl::StrAppend(&line, " (older)");
  if (operation.skip) absl::StrAppend(&line, " (left out)");
  trace_.push_back(std::move(line));
}

}  // namespace troupe::schedule::internal
