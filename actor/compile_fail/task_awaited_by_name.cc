// A Task that is awaited and kept.
#include "troupe/actor/task.h"

troupe::Task<int> Give() { co_return 1; }

troupe::Task<int> Bad() {
  troupe::Task<int> task = Give();
  co_return co_await task;
}
