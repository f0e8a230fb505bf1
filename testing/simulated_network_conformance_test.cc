#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/simulated_network.h"

namespace troupe::testing {
namespace {

// The i-th seed of this run.
template <int i>
class SimulatedEnvironment : public TransportEnvironment {
 public:
  SimulatedEnvironment()
      : seed_(TestSeeds(8)[i % TestSeeds(8).size()]),
        schedule_(seed_),
        network_(schedule_, Options(seed_)) {
    for (int node = 0; node < 3; ++node) {
      transports_[node] = network_.AddTransport(absl::StrCat("host", node));
    }
  }

  Transport& transport(int node) override { return *transports_[node]; }
  void Destroy(int node) override { transports_[node].reset(); }
  std::string NewAddress(int node) override {
    return absl::StrCat("host", node, ":", ++addresses_);
  }
  bool RunUntil(absl::FunctionRef<bool()> done) override {
    return schedule_.RunUntil(done, schedule_.now() + absl::Hours(1));
  }

 private:
  // Some networks are narrow.
  static SimulatedNetworkOptions Options(uint64_t seed) {
    SimulatedNetworkOptions options = {.seed = seed};
    if (i % 2 == 1) options.link.bytes_per_second = 1 << 20;
    return options;
  }

  const uint64_t seed_;
  DeterministicSchedule schedule_;
  SimulatedNetwork network_;
  std::array<std::unique_ptr<Transport>, 3> transports_;
  int addresses_ = 0;
};

INSTANTIATE_TEST_SUITE_P(
    Seeds, TransportConformanceTest,
    ::testing::Values(&MakeEnvironment<SimulatedEnvironment<0>>,
                      &MakeEnvironment<SimulatedEnvironment<1>>,
                      &MakeEnvironment<SimulatedEnvironment<2>>,
                      &MakeEnvironment<SimulatedEnvironment<3>>,
                      &MakeEnvironment<SimulatedEnvironment<4>>,
                      &MakeEnvironment<SimulatedEnvironment<5>>,
                      &MakeEnvironment<SimulatedEnvironment<6>>,
                      &MakeEnvironment<SimulatedEnvironment<7>>));

}  // namespace
}  // namespace troupe::testing
