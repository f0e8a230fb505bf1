// What is no coroutine and no awaitable.
#include "troupe/actor/task.h"
#include "troupe/actor/when_any.h"

troupe::Task<int> Give() { co_return 1; }

troupe::Task<void> Bad() { co_await troupe::WhenAny(Give(), 5); }
