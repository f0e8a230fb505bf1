// What happens when the k-th allocation of the runtime fails (§34), for each k:
// what was asked for is refused, with a status where there is one, or the
// process ends with a word on what it had no memory for. Each operation has a
// list of what it may end for, and how often. Nothing is half done, and nothing
// leaks.
//
// Apart from other tests because it replaces the allocation functions of the
// whole program.
#include <sys/wait.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/thread_context.h"
#include "troupe/stream/output_port.h"

namespace {

// Refuses the k-th allocation, or all from the k-th on.
class Refusal final : public troupe::internal::AllocationGate {
 public:
  void Arm(int64_t k, bool all = false) {
    left_ = k;
    all_ = all;
    Switch(true);
  }
  // Returns whether one was refused.
  bool Disarm() {
    Switch(false);
    return left_ <= 0;
  }
  bool Admits() override {
    --left_;
    return all_ ? left_ > 0 : left_ != 0;
  }
  bool IsForAll() const override { return true; }

 private:
  void Switch(bool on) {
    troupe::EnvelopePool::KeepNothing(on);
    troupe::internal::CellPool::KeepNothing(on);
    troupe::internal::allocation_gate = on ? this : nullptr;
  }

  int64_t left_ = 0;
  bool all_ = false;
};

Refusal refusal;

void* Allocate(size_t size, size_t alignment) {
  // In turns only: the executor of this test is no part of the runtime.
  if (troupe::internal::allocation_gate != nullptr &&
      troupe::this_thread.InTurn() &&
      !troupe::internal::allocation_gate->Admits()) {
    throw std::bad_alloc();
  }
  void* const memory = std::aligned_alloc(
      alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) {
  return Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace troupe {
namespace {

using ::testing::Truly;

constexpr int kDone = 4;  // The exit code of a run with no k-th allocation.

struct Note {
  std::string text;
};
struct Ask {
  using Reply = int;
};
struct Answer {
  absl::StatusOr<int> outcome;
};
// Counts the notes and answers that it gets.
class Other : public Actor<Note, Ask, Answer> {
 public:
  explicit Other(int& notes) : notes_(notes) {}
  void Handle(Note) { ++notes_; }
  int Handle(Ask) { return 42; }
  void Handle(Answer) { ++notes_; }

 private:
  int& notes_;
};

class Doer;
struct Do {
  std::function<Task<void>(Doer&)> work;
};
// Does what it is told, and counts what it is told itself.
class Doer : public Actor<Do, Note> {
 public:
  using Actor::Link;
  using Actor::Monitor;
  using Actor::SendAfter;
  using Actor::SendEvery;
  using Actor::Spawn;
  using Actor::SpawnAsync;
  using Actor::SpawnInstant;
  using Actor::Unlink;

  Task<void> Handle(const Do& m) { return m.work(*this); }
  void Handle(Note) { ++notes; }
  void OnDown(const Down&) { ++downs; }
  void OnExit(const Exit&) { ++exits; }

  static inline int notes = 0, downs = 0, exits = 0;
};

// A system in which one allocation fails.
struct World {
  World() {
    auto owned = std::make_unique<DeterministicExecutor>(
        DeterministicExecutor::Options{.workers = 2,
                                       .hand_over_probability = 0,
                                       .lost_seat_probability = 0});
    executor = owned.get();
    system = ActorSystem::CreateOn(std::move(owned), {});
    names = &system->Get<Names>();
    groups = &system->Get<Groups>();
    doer = *system->Spawn<Doer>();
    other = *system->Spawn<Other>(std::ref(notes));
    several.resize(40, other);
    for (Other::Ref& each : bounded) {
      each = *system->Spawn<Other>({.mailbox = {.messages = 10}},
                                   std::ref(bounded_notes));
    }
    executor->RunUntilIdle();
  }

  bool IsAlive(const AnyActorRef& actor) const {
    return actor.status() == ActorStatus::kRunning;
  }
  void KillOther() {
    other.Kill();
    executor->RunUntilIdle();
  }
  // Sends a note to each of the bounded ones. Returns how many came.
  int NotesOfBounded() {
    const int before = bounded_notes;
    for (const Other::Ref& each : bounded) each.Send<Note>("now");
    executor->RunUntilIdle();
    return bounded_notes - before;
  }
  // Whether the doer waits for an answer.
  bool DoerIsOwed() const {
    const internal::Cell& cell = *AnyActorRef(doer).cell();
    return IsAlive(doer) && cell.handler != nullptr &&
           !cell.handler->calls().empty();
  }

  int notes = 0;
  int bounded_notes = 0;
  DeterministicExecutor* executor;
  std::unique_ptr<ActorSystem> system;
  Names* names;
  Groups* groups;
  Doer::Ref doer;
  Other::Ref other;
  Other::Ref bounded[2];
  OutputPort<Note> port;
  PortSubscription subscription;
  Subscription events;
  std::optional<absl::Status> status;  // Of what was done.
  int done = 0;                        // How often.
  // Need memory for each copy.
  const std::vector<std::string> long_names = {
      std::string(60, 'a'), std::string(60, 'b'), std::string(60, 'c')};
  std::vector<ActorRef<Note>> several;  // The other one.
  bool began = false;                   // The coroutine that does it.
  bool threw = false;                   // std::bad_alloc.
};

struct Case {
  std::string name;
  std::function<Task<void>(World&, Doer&)> work;
  // Says what is wrong afterwards, when there is memory again; else "".
  std::function<std::string(World&)> wrong;
  // What the process may end for, and for how many k. Nothing else.
  std::map<std::string, int> ends_for = {};
};

std::string Unless(bool holds, std::string wrong) { return holds ? "" : wrong; }
// Refused with a status that says so, or done. Only the frame of what does it
// is refused by a throw.
std::string RefusedOrDone(const World& world) {
  if (!world.began) return "";
  if (world.threw) return "a throw in place of a status";
  return Unless(world.status->ok() || absl::IsResourceExhausted(*world.status),
                world.status->ToString());
}

std::vector<Case> Cases();

// In a process of its own.
[[noreturn]] void FailTheKth(const Case& tried, int64_t k) {
  std::string wrong;
  bool refused;
  {
    World world;
    Doer::notes = Doer::downs = Doer::exits = 0;
    world.doer.Send<Do>([&](Doer& doer) -> Task<void> {
      refusal.Arm(k);
      try {
        Task<void> work = tried.work(world, doer);
        world.began = true;
        co_await std::move(work);
      } catch (const std::bad_alloc&) {
        world.threw = true;
      }
    });
    world.executor->RunUntilIdle();
    refused = refusal.Disarm();
    world.executor->RunFor(absl::Seconds(20));
    if (world.DoerIsOwed()) wrong += "a wait is left behind";
    wrong += tried.wrong(world);
    // All can be used.
    int notes = 0;
    const absl::StatusOr<Other::Ref> another =
        world.system->Spawn<Other>(std::ref(notes));
    if (!another.ok()) wrong += another.status().ToString();
    if (another.ok() && !another->Call<Ask>().Wait().ok()) wrong += "no answer";
    if (!refused && world.threw) wrong += "it threw with all memory";
    const absl::Status ended = world.system->Shutdown();
    if (!ended.ok()) wrong += ended.ToString();
  }
  std::fprintf(stderr, wrong.empty() ? "all is well" : "wrong: %s",
               wrong.c_str());
  std::exit(!wrong.empty() ? 1 : refused ? 0 : kDone);
}

// Of the last words of a process.
std::string WhatItEndedFor(const std::string& said) {
  constexpr std::string_view kOutOfMemory = "out of memory: ";
  const size_t found = said.rfind(kOutOfMemory);
  if (found == std::string::npos) return "no reason";
  const size_t begin = found + kOutOfMemory.size();
  return said.substr(begin, said.find('\n', begin) - begin);
}

class AllocationFaultsDeathTest : public ::testing::TestWithParam<Case> {};

TEST_P(AllocationFaultsDeathTest, LeaveNothingHalfDone) {
  int survived = 0;
  std::map<std::string, int> ended_for;
  for (int64_t k = 1; k < 100; ++k) {
    SCOPED_TRACE(absl::StrCat("allocation ", k));
    int status = 0;
    std::string said;
    EXPECT_EXIT(
        FailTheKth(GetParam(), k),
        [&status](int how) {
          status = how;
          return WIFSIGNALED(how)
                     ? WTERMSIG(how) == SIGABRT
                     : WIFEXITED(how) &&
                           (WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == kDone);
        },
        Truly([&said](const std::string& output) {
          said = output;
          return true;
        }));
    if (HasFailure()) return;
    if (WIFSIGNALED(status)) {
      const std::string what = WhatItEndedFor(said);
      const auto may = GetParam().ends_for.find(what);
      ASSERT_TRUE(may != GetParam().ends_for.end()) << said;
      ASSERT_LE(++ended_for[what], may->second) << said;
      continue;
    }
    if (WEXITSTATUS(status) == kDone) {
      // The frame of the work, and what it asks for, can be refused.
      EXPECT_GE(survived, 1);
      EXPECT_GE(k, 2);
      return;
    }
    ++survived;
  }
  ADD_FAILURE() << "there is no end to allocations";
}

// In a process of its own. The handler lets pass what is thrown.
[[noreturn]] void FailAllFromTheKth(const Case& tried, int64_t k) {
  bool refused;
  {
    World world;
    world.doer.Send<Do>([&](Doer& doer) -> Task<void> {
      refusal.Arm(k, /*all=*/true);
      Task<void> work = tried.work(world, doer);
      co_await std::move(work);
    });
    world.executor->RunUntilIdle();
    refused = refusal.Disarm();
    world.executor->RunFor(absl::Seconds(20));
    const absl::Status ended = world.system->Shutdown();
    if (!ended.ok()) {
      std::fprintf(stderr, "wrong: %s", ended.ToString().c_str());
      std::exit(1);
    }
  }
  std::exit(refused ? 0 : kDone);
}

class NoMemoryLeftDeathTest : public ::testing::TestWithParam<Case> {};

// Clause 34: with no memory left at all for messages and coroutines, the
// process goes on, or ends with a word on what it had none for. No exception
// ends it.
TEST_P(NoMemoryLeftDeathTest, EndsTheProcessWithAWordAtWorst) {
  for (int64_t k = 1; k < 100; ++k) {
    SCOPED_TRACE(absl::StrCat("allocation ", k));
    int status = 0;
    std::string said;
    EXPECT_EXIT(
        FailAllFromTheKth(GetParam(), k),
        [&status](int how) {
          status = how;
          return WIFSIGNALED(how)
                     ? WTERMSIG(how) == SIGABRT
                     : WIFEXITED(how) &&
                           (WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == kDone);
        },
        Truly([&said](const std::string& output) {
          said = output;
          return true;
        }));
    if (HasFailure()) return;
    if (WIFSIGNALED(status)) {
      ASSERT_NE(WhatItEndedFor(said), "no reason") << said;
    } else if (WEXITSTATUS(status) == kDone) {
      return;
    }
  }
  ADD_FAILURE() << "there is no end to allocations";
}

INSTANTIATE_TEST_SUITE_P(Of, AllocationFaultsDeathTest,
                         ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

// Those of messages and coroutines.
std::vector<Case> CasesOfMessages() {
  std::vector<Case> cases = Cases();
  std::erase_if(cases, [](const Case& tried) {
    return tried.name.starts_with("Spawn") || tried.name == "Publish";
  });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Of, NoMemoryLeftDeathTest,
                         ::testing::ValuesIn(CasesOfMessages()),
                         [](const auto& info) { return info.param.name; });

void PrintTo(const Case& tried, std::ostream* out) { *out << tried.name; }

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"Send",
                   [](World& world, Doer&) -> Task<void> {
                     world.other.Send<Note>("x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes == (world.threw ? 0 : 1) ||
                                       !world.IsAlive(world.other),
                                   "lost or sent all the same");
                   }});
  cases.push_back({"Call",
                   [](World& world, Doer&) -> Task<void> {
                     world.status = (co_await world.other.Call<Ask>()).status();
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "neither answered nor refused");
                   }});
  // On another worker, where what is sent must wake them.
  cases.push_back({"SendBounded",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       each.Send<Note>("x");
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     std::string wrong =
                         Unless(world.bounded_notes == world.done,
                                "lost or sent all the same");
                     return wrong + Unless(world.NotesOfBounded() == 2,
                                           "never woken again");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back(
      {"SendWhenReady",
       [](World& world, Doer&) -> Task<void> {
         for (const Other::Ref& each : world.bounded) {
           const absl::Status sent = co_await each.SendWhenReady<Note>("x");
           if (sent.ok()) ++world.done;
         }
       },
       [](World& world) {
         std::string wrong = Unless(world.bounded_notes == world.done,
                                    "lost or sent all the same");
         return wrong +
                Unless(world.NotesOfBounded() == 2, "never woken again");
       },
       {{"the wake of a mailbox", 2}}});
  cases.push_back({"CallBounded",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       world.status = (co_await each.Call<Ask>()).status();
                     }
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "neither answered nor refused") +
                            Unless(world.NotesOfBounded() == 2,
                                   "never woken again");
                   },
                   {{"the wake of a mailbox", 2}}});
  // Several calls that are open beside each other.
  cases.push_back({"Start",
                   [](World& world, Doer&) -> Task<void> {
                     StartedCall<Ask> first = world.other.Call<Ask>().Start();
                     StartedCall<Ask> second =
                         world.bounded[0].Call<Ask>().Start();
                     StartedCall<Ask> third =
                         world.bounded[1].Call<Ask>().Start();
                     for (StartedCall<Ask>* call : {&first, &second, &third}) {
                       if ((co_await std::move(*call)).ok()) ++world.done;
                     }
                   },
                   [](World& world) {
                     return Unless(world.threw || world.done == 3,
                                   "neither answered nor refused");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"Forward",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       each.Call<Ask>().Forward<Answer>(world.other);
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes == world.done ||
                                       !world.IsAlive(world.doer) ||
                                       !world.IsAlive(world.bounded[0]) ||
                                       !world.IsAlive(world.bounded[1]),
                                   "not forwarded once");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"CallAll",
                   [](World& world, Doer&) -> Task<void> {
                     std::vector<Other::Ref> all(world.bounded,
                                                 world.bounded + 2);
                     all.push_back(world.other);
                     const auto outcomes = co_await CallAll<Ask>(all);
                     world.done = static_cast<int>(outcomes.size());
                   },
                   [](World& world) {
                     return Unless(world.threw || world.done == 3,
                                   "neither answered nor refused");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"Ended",
                   [](World& world, Doer&) -> Task<void> {
                     const auto why =
                         co_await Ended(world.other).Within(absl::Seconds(1));
                     world.status = why.status();
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(world.threw || world.status.has_value(),
                                   "waits for ever");
                   }});
  // Beside a call that waits, so that it is not the first.
  cases.push_back({"EndedBesideACall",
                   [](World& world, Doer&) -> Task<void> {
                     StartedCall<Ask> call = world.other.Call<Ask>().Start();
                     const auto why =
                         co_await Ended(world.other).Within(absl::Seconds(1));
                     world.status = why.status();
                     (void)co_await std::move(call);
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(world.threw || world.status.has_value(),
                                   "waits for ever");
                   }});
  cases.push_back(
      {"Completion",
       [](World& world, Doer&) -> Task<void> {
         auto [completer, completion] = MakeCompletion<int>();
         const auto late =
             co_await std::move(completion).Within(absl::Seconds(1));
         world.status = late.status();
       },
       [](World& world) {
         return Unless(world.threw || world.status.has_value(),
                       "waits for ever");
       }});
  cases.push_back({"Sleep",
                   [](World& world, Doer&) -> Task<void> {
                     (void)co_await Sleep(absl::Seconds(1));
                     world.status = absl::OkStatus();
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "sleeps for ever");
                   }});
  cases.push_back({"Timer",
                   [](World&, Doer& doer) -> Task<void> {
                     doer.SendAfter<Note>(absl::Seconds(1), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(Doer::notes == (world.threw ? 0 : 1),
                                   "not sent once, or after a refusal");
                   }});
  cases.push_back({"Ticker",
                   [](World&, Doer& doer) -> Task<void> {
                     doer.SendEvery<Note>(absl::Seconds(3), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(Doer::notes == (world.threw ? 0 : 6),
                                   "not every tick, or after a refusal");
                   }});
  cases.push_back({"Monitor",
                   [](World& world, Doer& doer) -> Task<void> {
                     (void)doer.Monitor(world.other);
                     co_return;
                   },
                   [](World& world) {
                     const auto again = [&](Doer& doer) -> Task<void> {
                       (void)doer.Monitor(world.other);
                       co_return;
                     };
                     if (world.threw) world.doer.Send<Do>(again);
                     world.executor->RunUntilIdle();
                     world.KillOther();
                     return Unless(Doer::downs == 1,
                                   "not told once, or after a refusal");
                   },
                   {{"a monitor", 2}}});
  cases.push_back({"Link",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(Doer::exits == (world.threw ? 0 : 1),
                                   "not told once, or after a refusal");
                   },
                   {{"a link", 2}}});
  // The other side of a link: it ends with its doer.
  cases.push_back({"LinkedSide",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.doer.Kill();
                     world.executor->RunUntilIdle();
                     return Unless(world.IsAlive(world.other) == world.threw,
                                   "a link of one side");
                   },
                   {{"a link", 2}}});
  cases.push_back({"Unlink",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     (void)doer.Unlink(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(Doer::exits == 0, "told in spite of it");
                   },
                   {{"a link", 2}, {"the end of a link", 1}}});
  cases.push_back({"Spawn",
                   [](World& world, Doer& doer) -> Task<void> {
                     world.status =
                         doer.Spawn<Other>(std::ref(world.notes)).status();
                     co_return;
                   },
                   &RefusedOrDone});
  cases.push_back(
      {"SpawnNamed",
       [](World& world, Doer& doer) -> Task<void> {
         const SpawnOptions named{.name = "a name"};
         world.status =
             doer.Spawn<Other>(named, std::ref(world.notes)).status();
         co_return;
       },
       [](World& world) {
         const bool spawned = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.names->Find<Note>("a name").ok() == spawned,
                       "a name without an actor, or without it");
       }});
  cases.push_back(
      {"SpawnBounded",
       [](World& world, Doer& doer) -> Task<void> {
         const SpawnOptions bounded{.mailbox = {.messages = 2}};
         world.status =
             doer.Spawn<Other>(bounded, std::ref(world.notes)).status();
         co_return;
       },
       &RefusedOrDone});
  cases.push_back(
      {"SpawnInstant",
       [](World& world, Doer& doer) -> Task<void> {
         world.status =
             doer.SpawnInstant<Other>(std::ref(world.notes)).status();
         co_return;
       },
       &RefusedOrDone});
  cases.push_back(
      {"SpawnAsync",
       [](World& world, Doer& doer) -> Task<void> {
         world.status =
             (co_await doer.SpawnAsync<Other>(std::ref(world.notes))).status();
       },
       [](World& world) {
         // The wait is a coroutine's.
         return world.threw ? "" : RefusedOrDone(world);
       }});
  cases.push_back(
      {"Register",
       [](World& world, Doer&) -> Task<void> {
         world.status = world.names->Register("a name", world.other);
         co_return;
       },
       [](World& world) {
         const bool done = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.names->Find<Note>("a name").ok() == done,
                       "the name does not lead where it should");
       }});
  cases.push_back({"RegisterSeveral",
                   [](World& world, Doer&) -> Task<void> {
                     for (const std::string& name : world.long_names) {
                       world.status = world.names->Register(name, world.other);
                       if (!world.status->ok()) break;
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     std::string wrong = RefusedOrDone(world);
                     int found = 0;
                     for (const std::string& name : world.long_names) {
                       if (world.names->Find<Note>(name).ok()) ++found;
                     }
                     wrong += Unless(found == world.done,
                                     "not the names that were given");
                     world.KillOther();
                     return wrong + Unless(world.names->ListAll().empty(),
                                           "a name that outlives its owner");
                   }});
  // Who waits for the name is told of it, whatever there is.
  cases.push_back(
      {"RegisterWhatIsAwaited",
       [](World& world, Doer&) -> Task<void> {
         auto wait = world.names->WaitFor<Note>("a name", absl::Hours(1));
         world.status = world.names->Register("a name", world.other);
         if (!world.status->ok()) co_return;
         world.done = (co_await std::move(wait)).ok() ? 1 : 0;
       },
       [](World& world) {
         const bool done = world.status.has_value() && world.status->ok();
         return Unless(world.threw || !done || world.done == 1,
                       "who waits is not told");
       },
       {{"the names", 1}}});
  cases.push_back(
      {"Join",
       [](World& world, Doer&) -> Task<void> {
         world.status = world.groups->Join(Group<Note>("g"), world.other);
         co_return;
       },
       [](World& world) {
         const bool done = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.groups->ListGroups().size() == (done ? 1u : 0u),
                       "a group without members") +
                Unless(world.groups->Send<Note>(Group<Note>("g"), "x") ==
                           (done ? 1u : 0u),
                       "not a member as it should be");
       }});
  cases.push_back(
      {"JoinSeveral",
       [](World& world, Doer&) -> Task<void> {
         for (int i = 0; i < 2; ++i) {
           world.status = world.groups->Join(Group<Note>("g"), world.several);
           if (!world.status->ok()) break;
           ++world.done;
         }
         co_return;
       },
       [](World& world) {
         std::string wrong = RefusedOrDone(world);
         wrong += Unless(world.groups->Members(Group<Note>("g"))->size() ==
                             static_cast<size_t>(40 * world.done),
                         "some have joined, and some have not");
         world.KillOther();
         return wrong + Unless(world.groups->ListGroups().empty(),
                               "a membership that outlives its member");
       }});
  // Who is told of members is told of all.
  cases.push_back(
      {"JoinWhatIsWatched",
       [](World& world, Doer&) -> Task<void> {
         world.events = world.system->Subscribe<GroupChanged>(
             [&world](const GroupChanged& change) {
               world.done += static_cast<int>(change.joined.size());
             });
         world.status = world.groups->Join(Group<Note>("g"), world.other);
         co_return;
       },
       [](World& world) {
         const bool done = world.status.has_value() && world.status->ok();
         world.events = Subscription();
         return Unless(world.done == (done ? 1 : 0),
                       "told of what has not happened, or not told");
       },
       {{"the groups", 8}}});
  cases.push_back({"SendToGroup",
                   [](World& world, Doer&) -> Task<void> {
                     (void)world.groups->Join(Group<Note>("g"), world.other);
                     world.groups->Send<Note>(Group<Note>("g"), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes <= 1, "more than was sent");
                   },
                   {{"what an actor was sent", 1}}});
  cases.push_back(
      {"Publish",
       [](World& world, Doer&) -> Task<void> {
         world.subscription = world.port.Subscribe(world.other);
         world.port.Publish("x");
         co_return;
       },
       [](World& world) {
         return Unless(world.notes <= 1, "more than was sent");
       },
       {{"the end of a subscriber", 2}, {"what an actor was sent", 2}}});
  return cases;
}

}  // namespace
}  // namespace troupe
