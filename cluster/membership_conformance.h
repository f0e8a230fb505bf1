// What every MembershipProvider must do, as tests: one for each promise of
// membership.h. A test of a provider says how a cluster is made, and links
// `membership_conformance`:
//
//   class MyCluster : public testing::MembershipEnvironment { ... };
//
//   INSTANTIATE_TEST_SUITE_P(
//       MyProvider, MembershipConformanceTest,
//       ::testing::Values(&testing::MakeMembership<MyCluster>));
#ifndef TROUPE_CLUSTER_MEMBERSHIP_CONFORMANCE_H_
#define TROUPE_CLUSTER_MEMBERSHIP_CONFORMANCE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/cluster/membership.h"

namespace troupe::testing {

// A cluster of which one node has a provider; the others are played.
class MembershipEnvironment {
 public:
  virtual ~MembershipEnvironment() = default;

  // The provider, which is not started.
  virtual MembershipProvider& provider() = 0;
  // Destroys it. It is not asked for again.
  virtual void DestroyProvider() = 0;
  // From now on these are the other members.
  virtual void SetOthers(std::vector<Member> others) = 0;
  // Runs until `done`; false if that takes far too long.
  virtual bool RunUntil(absl::FunctionRef<bool()> done) = 0;
};

template <typename Environment>
std::unique_ptr<MembershipEnvironment> MakeMembership() {
  return std::make_unique<Environment>();
}

// Notes the lists that it hears, and fails the test if it is called otherwise
// than a provider may, or revisions do not grow.
class RecordingMembershipListener final : public MembershipListener {
 public:
  void OnMembers(std::shared_ptr<const Membership> membership) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnLost(const absl::Status& why) override;

  std::vector<std::shared_ptr<const Membership>> lists() const
      ABSL_LOCKS_EXCLUDED(mu_);
  // The newest list; an empty one if there is none.
  Membership newest() const;
  // The names in it.
  std::vector<std::string> names() const;
  // The member of that name in it, or an empty one.
  Member member(absl::string_view name) const;

 private:
  mutable absl::Mutex mu_;
  bool inside_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<const Membership>> lists_ ABSL_GUARDED_BY(mu_);
};

class MembershipConformanceTest
    : public ::testing::TestWithParam<
          std::unique_ptr<MembershipEnvironment> (*)()> {
 protected:
  MembershipConformanceTest() : environment_(GetParam()()) {}

  MembershipEnvironment& environment() { return *environment_; }
  RecordingMembershipListener& listener() { return *listener_; }
  void RunUntil(absl::FunctionRef<bool()> done) {
    ASSERT_TRUE(environment_->RunUntil(done)) << "this takes too long";
  }
  absl::Status Start(Member self);

 private:
  const std::unique_ptr<MembershipEnvironment> environment_;
  const std::shared_ptr<RecordingMembershipListener> listener_ =
      std::make_shared<RecordingMembershipListener>();
};

}  // namespace troupe::testing

#endif  // TROUPE_CLUSTER_MEMBERSHIP_CONFORMANCE_H_
