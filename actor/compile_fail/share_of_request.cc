// A request is answered once.
#include "troupe/actor/internal/shared_message.h"

struct Question {
  using Reply = int;
};

auto Bad() { return troupe::internal::SharedMessage<Question>::Make(); }
