// Operations of actors, each of which is tried without the memory for one of
// its allocations, and the world in which they are.
#ifndef TROUPE_TESTING_INTERNAL_ALLOCATION_FAULTS_CASES_H_
#define TROUPE_TESTING_INTERNAL_ALLOCATION_FAULTS_CASES_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/task.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/stream/output_port.h"

namespace troupe::allocation_faults {

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

// Counts how many of it live.
struct Token {
  Token() { ++living; }
  Token(const Token&) { ++living; }
  ~Token() { --living; }

  static inline int living = 0;
};

class Doer;
struct Do {
  std::function<Task<void>(Doer&)> work;
};
// Does what it is told, and counts what it is told itself.
class Doer : public Actor<Do, Note, Token> {
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
  void Handle(const Token&) { ++notes; }
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
    const troupe::internal::Cell& cell = *AnyActorRef(doer).cell();
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

inline void PrintTo(const Case& tried, std::ostream* out) {
  *out << tried.name;
}

std::vector<Case> Cases();

}  // namespace troupe::allocation_faults

#endif  // TROUPE_TESTING_INTERNAL_ALLOCATION_FAULTS_CASES_H_
