#include "troupe/base/ownership_mutants.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "troupe/base/ownership.h"

namespace troupe::ownership_model {
namespace {

using schedule::MemoryModel;
using schedule::Operation;
using schedule::Options;
using schedule::Result;
using Kind = Operation::Kind;

constexpr int kRandomSchedules = 500;

// A sanitizer makes a run some forty times as long and finds nothing in the
// words that the exploration does not; it looks for errors of the model.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kUnderSanitizer = true;
#elif defined(__has_feature)
constexpr bool kUnderSanitizer =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kUnderSanitizer = false;
#endif

bool IsBarrier(const Operation& operation) {
  return operation.kind == Kind::kLightBarrier ||
         operation.kind == Kind::kHeavyBarrier;
}

constexpr char kUnnamed[] = "an ordering without a name";

std::string NameInMail(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kLoad:
      return "IDENTIFY";
    case Kind::kStore:
      return (operation.operand & MailWord<int>::kAlive) != 0 ? "OPEN"
                                                              : "RESTART";
    case Kind::kExchange:
      return "DIE";
    case Kind::kCompareExchangeWeak:
      if (operation.order == std::memory_order_acq_rel) return "PUBLISH";
      return operation.order == std::memory_order_acquire ? "TAKE" : "ARM";
    default:
      return kUnnamed;
  }
}

std::string NameInInbox(const Operation& operation) {
  // Whatever the node: the flags do not depend on it.
  using Word = WorkerWord<int>;
  const bool acquires = operation.order == std::memory_order_acquire;
  switch (operation.kind) {
    case Kind::kLoad:
      return "FIND ASLEEP";
    case Kind::kFetchAnd:
      return "UNLOCK";
    case Kind::kCompareExchangeStrong:
      return acquires ? "LOCK" : "REST";
    case Kind::kCompareExchangeWeak:
      if (acquires) {
        return (operation.expected & Word::kChain) != 0 ? "RECEIVE" : "RISE";
      }
      return (operation.operand & Word::kChain) != 0 ? "DELIVER"
                                                     : "FALL ASLEEP";
    default:
      return kUnnamed;
  }
}

std::string NameInSeat(const Operation& operation) {
  const bool of_tag = operation.size_bytes == sizeof(uint64_t);
  switch (operation.kind) {
    case Kind::kLoad:
      return of_tag ? "ENTER" : "OUTSIDE";
    case Kind::kStore:
      return of_tag ? "SETTLE" : "LEAVE";
    case Kind::kLightBarrier:
      return "light barrier";
    case Kind::kHeavyBarrier:
      return "heavy barrier";
    default:
      return kUnnamed;
  }
}

std::string NameInCount(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kLoad:
      return "SEE END";
    case Kind::kStore:
      return "END";
    case Kind::kFetchAdd:
      return "END OUTSIDE";
    default:
      return kUnnamed;
  }
}

// The name that ownership.h gives to the ordering of an operation on the word
// with that label. REQUIRES: it is stronger than relaxed.
std::string NameOf(absl::string_view label, const Operation& operation) {
  if (label == kMailLabel) return NameInMail(operation);
  if (label == kCountLabel) return NameInCount(operation);
  if (label == kReferencesLabel) {
    return operation.kind == Kind::kFetchAdd ? "DROP" : kUnnamed;
  }
  return label == kInboxLabel ? NameInInbox(operation) : NameInSeat(operation);
}

absl::string_view NameOf(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    default:
      return "acq_rel";
  }
}

// What is one step weaker.
std::vector<std::memory_order> Weaker(std::memory_order order) {
  switch (order) {
    case std::memory_order_seq_cst:
      return {std::memory_order_acq_rel};
    case std::memory_order_acq_rel:
      return {std::memory_order_acquire, std::memory_order_release};
    case std::memory_order_acquire:
    case std::memory_order_release:
      return {std::memory_order_relaxed};
    default:
      return {};
  }
}

using Mutants = std::map<std::string, Mutation>;

// Adds what makes one of an operation's two orderings weaker.
void AddWeaker(absl::string_view label, const Operation& operation,
               std::memory_order Operation::*which, absl::string_view when,
               Mutants& mutants) {
  const std::memory_order from = operation.*which;
  const std::string name = NameOf(label, operation);
  for (const std::memory_order to : Weaker(from)) {
    mutants.try_emplace(absl::StrCat(name, " ", NameOf(to), when),
                        [label, name, which, from, to](Operation& mutated) {
                          if (mutated.label == label &&
                              mutated.*which == from &&
                              NameOf(label, mutated) == name) {
                            mutated.*which = to;
                          }
                        });
  }
}

// Adds all that makes an operation on the word with that label weaker.
void AddMutants(absl::string_view label, const Operation& operation,
                Mutants& mutants) {
  if (IsBarrier(operation)) {
    if (label != kSeatLabel) return;
    mutants.try_emplace(absl::StrCat(NameOf(label, operation), " left out"),
                        [kind = operation.kind](Operation& mutated) {
                          mutated.skip |= mutated.kind == kind;
                        });
    return;
  }
  if (operation.label != label) return;
  AddWeaker(label, operation, &Operation::order, "", mutants);
  if (operation.kind == Kind::kCompareExchangeWeak ||
      operation.kind == Kind::kCompareExchangeStrong) {
    AddWeaker(label, operation, &Operation::failure_order, " on failure",
              mutants);
  }
}

Options OptionsOf(const Harness& harness, Harness::Bounds bounds) {
  return {.name = harness.name,
          .memory = MemoryModel::kWeak,
          .preemptions = bounds.preemptions,
          .stale_reads = bounds.stale_reads};
}

// Plays a harness within each of its bounds. Ends with the first failure.
Result Play(const Harness& harness, Mutation mutation) {
  Result all;
  all.complete = true;
  for (const Harness::Bounds bounds : harness.bounds) {
    Options options = OptionsOf(harness, bounds);
    options.random_schedules = kRandomSchedules;
    options.mutate = mutation;
    Result result = schedule::Explore(options, harness.body);
    all.schedules += result.schedules;
    all.complete &= result.complete;
    if (result.failure.empty()) continue;
    all.failure = std::move(result.failure);
    all.report = std::move(result.report);
    break;
  }
  return all;
}

// Each way to make an ordering weaker that some harness asks for.
Mutants MutantsOf(absl::Span<const Harness> harnesses,
                  absl::string_view label) {
  Mutants mutants;
  for (const Harness& harness : harnesses) {
    Options options = OptionsOf(harness, {1, 1});
    options.mutate = [label, &mutants](Operation& operation) {
      AddMutants(label, operation, mutants);
    };
    (void)schedule::Explore(options, harness.body);
  }
  return mutants;
}

}  // namespace

void ExpectAllHold(absl::Span<const Harness> harnesses) {
  for (Harness harness : harnesses) {
    if (kUnderSanitizer) harness.bounds = {{1, 1}};
    const Result result = Play(harness, nullptr);
    EXPECT_EQ(result.report, "");
    EXPECT_TRUE(result.complete) << harness.name;
  }
}

void ExpectFound(absl::string_view mutant, const Harness& harness,
                 Mutation mutation) {
  const Result result = Play(harness, std::move(mutation));
  EXPECT_NE(result.failure, "") << mutant << " survived " << result.schedules
                                << " schedules of " << harness.name;
}

void ExpectEachOrderingIsNeeded(absl::Span<const Harness> harnesses,
                                absl::string_view label,
                                absl::Span<const Finding> findings) {
  std::map<std::string, const Harness*> by_name;
  for (const Harness& harness : harnesses) by_name[harness.name] = &harness;
  const Mutants mutants = MutantsOf(harnesses, label);
  std::set<std::string> all;
  for (const auto& [name, mutation] : mutants) all.insert(name);
  std::set<std::string> named;
  for (const Finding& finding : findings) named.insert(finding.mutant);
  ASSERT_EQ(named, all);
  for (const Finding& finding : findings) {
    ASSERT_EQ(by_name.count(finding.harness), 1u) << finding.harness;
    ExpectFound(finding.mutant, *by_name[finding.harness],
                mutants.at(finding.mutant));
  }
}

}  // namespace troupe::ownership_model
