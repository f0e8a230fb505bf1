// Who takes a shared message by value gets a copy.
#include <memory>

#include "troupe/actor/internal/shared_message.h"

struct Letter {
  std::unique_ptr<int> content;
};

auto Bad() { return troupe::internal::SharedMessage<Letter>::Make(); }
