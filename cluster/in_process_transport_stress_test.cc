#include "gtest/gtest.h"
#include "troupe/cluster/in_process_transport_environment.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe::testing {
namespace {

struct OnThreads : InProcessTransportEnvironment {
  OnThreads()
      : InProcessTransportEnvironment(*ThreadExecutor::Create({.workers = 3})) {
  }
};

INSTANTIATE_TEST_SUITE_P(Threads, TransportStressTest,
                         ::testing::Values(&MakeEnvironment<OnThreads>));

}  // namespace
}  // namespace troupe::testing
