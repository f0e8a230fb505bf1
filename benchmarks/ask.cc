// One actor, or a plain thread, calls another actor, one call at a time.
#include <cstdint>

#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/task.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

struct Square {
  int64_t number;
  using Reply = int64_t;
};

class Server : public Actor<Square> {
 public:
  int64_t Handle(Square square) { return square.number * square.number; }
};

struct Ask {
  int64_t calls;
};

class Client : public Actor<Ask> {
 public:
  Client(Stage& stage, ActorRef<Square> server)
      : stage_(stage), server_(server) {}

  Task<void> Handle(Ask ask) {
    for (int64_t i = 0; i < ask.calls; ++i) {
      const absl::StatusOr<int64_t> answer = co_await server_.Call<Square>(i);
      if (!stage_.Check("an answer", answer.value_or(-1), i * i)) co_return;
    }
    stage_.Finish();
  }

 private:
  Stage& stage_;
  const ActorRef<Square> server_;
};

}  // namespace

void StartAsk(Stage& stage) {
  const int64_t calls = stage.Begin(stage.Scaled(500'000));
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  stage.here().Spawn<Client>(stage, server).value().Send<Ask>(calls);
}

void StartAskOutside(Stage& stage) {
  const int64_t calls = stage.Begin(stage.Scaled(100'000));
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  for (int64_t i = 0; i < calls; ++i) {
    const absl::StatusOr<int64_t> answer = server.Call<Square>(i).Wait();
    if (!stage.Check("an answer", answer.value_or(-1), i * i)) return;
  }
  stage.Finish();
}

}  // namespace troupe::benchmarks
