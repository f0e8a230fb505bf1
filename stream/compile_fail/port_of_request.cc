// A request is answered once.
#include "troupe/stream/output_port.h"

struct Question {
  using Reply = int;
};

void Bad(troupe::OutputPort<Question>& port) { port.Publish(); }
