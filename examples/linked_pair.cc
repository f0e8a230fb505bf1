// A link: two halves of a session that end together, and one that looks on.
//
//   ./bazelw run //examples:linked_pair
//
// prints
//
//   the writer has ended with DATA_LOSS
#include <iostream>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit.h"
#include "troupe/base/log.h"

namespace {

struct Line {};

class Writer : public troupe::Actor<Line> {
 public:
  void Handle(Line) {}
};

class Reader : public troupe::Actor<Line> {
 public:
  explicit Reader(troupe::ActorRef<Line> writer) : writer_(writer) {}

  void PreStart() { Link(writer_); }
  absl::Status Handle(Line) { return absl::DataLossError("bad checksum"); }

 private:
  troupe::ActorRef<Line> writer_;
};

// With OnExit, an actor hears of the end of those it is linked to, and lives
// on.
class Session : public troupe::Actor<Line> {
 public:
  explicit Session(troupe::ActorRef<Line> writer) : writer_(writer) {}

  void PreStart() { Link(writer_); }
  void Handle(Line) {}
  void OnExit(const troupe::Exit& exit) {
    const auto& status = exit.reason.status();
    std::cout << "the writer has ended with "
              << absl::StatusCodeToString(status.code()) << "\n";
    StopSelf();
  }

 private:
  troupe::ActorRef<Line> writer_;
};

class QuietLog : public troupe::LogSink {
 public:
  void Send(const troupe::LogEntry&) override {}
};

}  // namespace

int main() {
  QuietLog quiet;  // Failures are logged.
  auto system =
      troupe::ActorSystem::Create({.logger = troupe::Logger(&quiet)}).value();
  const auto writer = system->Spawn<Writer>().value();
  const auto session = system->Spawn<Session>(writer).value();
  const auto reader = system->Spawn<Reader>(writer).value();
  reader.Send<Line>();
  (void)session.Wait();
}
