// A Task that is waited for and kept.
#include "troupe/actor/task.h"
#include "troupe/actor/when_all.h"

troupe::Task<int> Give() { co_return 1; }

troupe::Task<void> Bad() {
  troupe::Task<int> task = Give();
  co_await troupe::WhenAll(Give(), task);
}
