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
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/task.h"
#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/scheduler/blocking_pool.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/thread_context.h"
#include "troupe/testing/internal/allocation_faults_cases.h"

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
// Whether this thread asks it outside of turns, too.
thread_local bool asks_always = false;

void* Allocate(size_t size, size_t alignment) {
  // Mostly in turns only: the executor of this test is no part of the runtime.
  if (troupe::internal::allocation_gate != nullptr &&
      (asks_always || troupe::this_thread.InTurn()) &&
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
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
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

using allocation_faults::Ask;
using allocation_faults::Case;
using allocation_faults::Cases;
using allocation_faults::Do;
using allocation_faults::Doer;
using allocation_faults::Other;
using allocation_faults::Token;
using allocation_faults::World;
using ::testing::Truly;

constexpr int kDone = 4;  // The exit code of a run with no k-th allocation.
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

// All was done, or there was no k-th allocation, or it was aborted.
auto EndsAsItMay(int& status) {
  return [&status](int how) {
    status = how;
    if (WIFSIGNALED(how)) return WTERMSIG(how) == SIGABRT;
    return WIFEXITED(how) &&
           (WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == kDone);
  };
}
// Its last words.
auto Keeps(std::string& said) {
  return Truly([&said](const std::string& output) {
    said = output;
    return true;
  });
}

class AllocationFaultsDeathTest : public ::testing::TestWithParam<Case> {};

TEST_P(AllocationFaultsDeathTest, LeaveNothingHalfDone) {
  int survived = 0;
  std::map<std::string, int> ended_for;
  for (int64_t k = 1; k < 100; ++k) {
    SCOPED_TRACE(absl::StrCat("allocation ", k));
    int status = 0;
    std::string said;
    EXPECT_EXIT(FailTheKth(GetParam(), k), EndsAsItMay(status), Keeps(said));
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

struct Count {
  using Reply = int;
  Token token;
};

class Counter : public Actor<Count> {
 public:
  int Handle(const Count&) { return 1; }
};

// In a process of its own. This thread asks an actor that answers later, and
// one that has ended.
[[noreturn]] void AskAllWithoutTheKth(int64_t k) {
  std::string wrong;
  bool threw = false;
  {
    World world;
    std::vector<Counter::Ref> counters;
    for (int i = 0; i < 2; ++i) {
      counters.push_back(*world.system->Spawn<Counter>());
    }
    counters[1].Kill();
    world.executor->RunUntilIdle();
    refusal.Arm(k);
    try {
      (void)CallAll<Count>(counters).Wait();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    (void)refusal.Disarm();
    world.executor->RunUntilIdle();
    if (Token::living != 0) wrong += "a request is left";
    const absl::Status ended = world.system->Shutdown();
    if (!ended.ok()) wrong += ended.ToString();
  }
  std::fprintf(stderr, wrong.empty() ? "all is well" : "wrong: %s",
               wrong.c_str());
  std::exit(!wrong.empty() ? 1 : threw ? 0 : kDone);
}

// Clause 34: who was asked may answer when the thread that asked is gone.
TEST(AllocationFaultsOfAThreadDeathTest, CallAllLeavesNothingHalfDone) {
  // The requests, and the refusal by the second actor.
  for (int64_t k = 1; k <= 3; ++k) {
    SCOPED_TRACE(absl::StrCat("allocation ", k));
    EXPECT_EXIT(AskAllWithoutTheKth(k), ::testing::ExitedWithCode(0),
                "all is well");
  }
}

// In a process of its own.
[[noreturn]] void SubmitWithoutTheKth(int64_t k) {
  int done = 0;
  int accepted = 0;
  bool threw = false;
  {
    BlockingPool pool({.max_threads = 1});
    BlockingPool::Task task = [&done] { ++done; };
    const auto submit = [&] {
      if (pool.Submit(std::move(task)).ok()) ++accepted;
    };
    refusal.Arm(k);
    asks_always = true;
    try {
      submit();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    asks_always = false;
    (void)refusal.Disarm();
    // What is refused is the caller's still.
    if (threw && task != nullptr) submit();
  }
  const bool is_well = done == 1 && accepted == 1;
  std::fprintf(stderr, is_well ? "all is well" : "a task was lost");
  std::exit(!is_well ? 1 : threw ? 0 : kDone);
}

// Clause 34: a pool keeps the threads that it has started.
TEST(AllocationFaultsOfAThreadDeathTest, BlockingPoolLosesNoThread) {
  for (int64_t k = 1; k < 100; ++k) {
    SCOPED_TRACE(absl::StrCat("allocation ", k));
    int status = 0;
    std::string said;
    EXPECT_EXIT(SubmitWithoutTheKth(k), EndsAsItMay(status), Keeps(said));
    ASSERT_TRUE(WIFEXITED(status)) << said;
    if (WEXITSTATUS(status) == kDone) {
      EXPECT_GE(k, 2);
      return;
    }
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
    EXPECT_EXIT(FailAllFromTheKth(GetParam(), k), EndsAsItMay(status),
                Keeps(said));
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
  std::erase_if(
      cases, [](const Case& tried) { return tried.name.starts_with("Spawn"); });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Of, NoMemoryLeftDeathTest,
                         ::testing::ValuesIn(CasesOfMessages()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe
