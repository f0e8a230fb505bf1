// A conversion makes what the subscriber takes.
#include "troupe/actor/actor_ref.h"
#include "troupe/stream/output_port.h"

struct Price {};
struct Line {};
struct Other {};

void Bad(troupe::OutputPort<Price>& port, troupe::ActorRef<Line> screen) {
  port.Subscribe(screen, [](const Price&) { return Other(); }).Detach();
}
