#include "troupe/cluster/security/cookie.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCluster;
using internal::TestNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

const char kOld[] = "0123456789abcdef0123456789abcdef";
const char kNew[] = "fedcba9876543210fedcba9876543210";

class CookieTest : public ::testing::Test {
 protected:
  CookieTest() {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    file_ = folder_ + "/cookie";
  }
  ~CookieTest() override {
    std::remove(file_.c_str());
    ::rmdir(folder_.c_str());
  }

  // A file with that content, which its owner alone may read.
  void Write(const std::string& content, mode_t mode = 0600) {
    std::remove(file_.c_str());
    std::ofstream file(file_, std::ios::binary);
    file << content;
    ASSERT_TRUE(file.flush().good());
    ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
  }
  std::shared_ptr<Cookie> Make(const std::string& content) {
    Write(content);
    return Cookie::FromFile(file_).value();
  }
  absl::Status Fail() { return Cookie::FromFile(file_).status(); }

  std::string folder_ = ::testing::TempDir() + "/cookie.XXXXXX";
  std::string file_;
};

// cases 6 and 7 of RFC 4231, whose keys are long enough.
TEST_F(CookieTest, ProofHasAKnownValue) {
  const auto cookie = Make(std::string(131, '\xaa'));
  const auto hex = [&](const std::string& statement) {
    const std::vector<std::string> proofs = cookie->Prove(statement);
    EXPECT_EQ(proofs.size(), 1u);
    return absl::BytesToHexString(proofs[0]);
  };
  EXPECT_EQ(hex("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f"
            "8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(
      hex("This is a test using a larger than block-size key and a larger "
          "than block-size data. The key needs to be hashed before being "
          "used by the HMAC algorithm."),
      "9b09ffa71b942fcb27635fbcd5b0e944"
      "bfdc63644f0713938a7f51535c3a35e2");
}

TEST_F(CookieTest, AcceptsItsOwnProofOfThatAlone) {
  const auto cookie = Make(kOld);
  std::vector<std::string> proofs = cookie->Prove("this");
  EXPECT_TRUE(cookie->Accepts("this", proofs));
  EXPECT_FALSE(cookie->Accepts("that", proofs));
  EXPECT_FALSE(cookie->Accepts("this", {}));
  EXPECT_FALSE(cookie->Accepts("this", {""}));
  EXPECT_FALSE(cookie->Accepts("this", {proofs[0] + proofs[0]}));
  EXPECT_FALSE(Make(kNew)->Accepts("this", proofs));
  for (char& byte : proofs[0]) {
    byte = static_cast<char>(byte ^ 1);
    EXPECT_FALSE(cookie->Accepts("this", proofs));
    byte = static_cast<char>(byte ^ 1);
  }
  proofs[0].pop_back();
  EXPECT_FALSE(cookie->Accepts("this", proofs));
}

TEST_F(CookieTest, EachOfTwoIsProvenAndAccepted) {
  const auto cookie = Make(absl::StrCat("\n", kNew, "\r\n  ", kOld, " \n\n"));
  EXPECT_EQ(cookie->Prove("this").size(), 2u);
  for (const char* one : {kNew, kOld}) {
    const auto other = Make(one);
    EXPECT_TRUE(cookie->Accepts("this", other->Prove("this"))) << one;
    EXPECT_TRUE(other->Accepts("this", cookie->Prove("this"))) << one;
  }
}

TEST_F(CookieTest, ReloadedFileIsGoodOrNothingChanges) {
  const auto cookie = Make(kOld);
  const auto of_old = cookie->Prove("this");
  Write(kNew);
  EXPECT_TRUE(cookie->Accepts("this", of_old)) << "it was not asked yet";
  EXPECT_THAT(cookie->Reload(), IsOk());
  EXPECT_FALSE(cookie->Accepts("this", of_old));
  Write(kOld, 0644);
  EXPECT_THAT(cookie->Reload(), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_FALSE(cookie->Accepts("this", of_old));
}

TEST_F(CookieTest, NoncesAreLongAndDiffer) {
  const auto cookie = Make(kOld);
  const std::string nonce = cookie->NewNonce();
  EXPECT_EQ(nonce.size(), 32u);
  EXPECT_NE(cookie->NewNonce(), nonce);
}

TEST_F(CookieTest, FileThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601}) {
    Write(kOld, mode);
    EXPECT_THAT(Fail(), StatusIs(absl::StatusCode::kPermissionDenied,
                                 HasSubstr("chmod 600")))
        << mode;
  }
  Write(kOld, 0400);
  EXPECT_THAT(Fail(), IsOk());
}

TEST_F(CookieTest, FileOfAnotherUserIsRefused) {
  Write(kOld);
  constexpr uid_t kNobody = 65534;
  if (::geteuid() != 0 || ::chown(file_.c_str(), kNobody, kNobody) != 0) {
    GTEST_SKIP() << "only root gives files away";
  }
  EXPECT_THAT(Fail(), StatusIs(absl::StatusCode::kPermissionDenied,
                               HasSubstr("belongs to user 65534")));
}

TEST_F(CookieTest, WhatIsNoCookieIsSaidWithoutItsContent) {
  EXPECT_THAT(Fail(), StatusIs(absl::StatusCode::kNotFound, HasSubstr(file_)));
  for (const std::string& content :
       {std::string(), std::string(" \n\n"), std::string("tooshort"),
        absl::StrCat("tooshort", std::string(2000, 'x')),
        absl::StrCat(kOld, "\n", kNew, "\n", kOld, "\n"),
        absl::StrCat(kOld, std::string(5000, '\n'))}) {
    Write(content);
    EXPECT_THAT(Fail(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(file_), Not(HasSubstr("tooshort")),
                               Not(HasSubstr(kOld)))));
  }
  EXPECT_THAT(
      Cookie::FromFile(folder_).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no file")));
}

TEST_F(CookieTest, WhatIsNoFileKeepsNobodyWaiting) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THAT(Fail(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("no file")));
}

// Two nodes with the cookie, and one with another.
TEST_F(CookieTest, NodesWithTheSameCookieFindEachOther) {
  TestCluster cluster({"a", "b", "c"});
  const auto start = [&](const std::string& name, const std::string& content) {
    auto node =
        std::make_unique<TestNode>(ActorSystem::Create({.workers = 1}).value());
    NodeOptions options = cluster.Options(name, node->system());
    options.cookie = Make(content);
    node->Join(std::move(options));
    return node;
  };
  const auto a = start("a", kOld);
  const auto b = start("b", absl::StrCat(kNew, "\n", kOld));
  a->AwaitPeer("b");
  b->AwaitPeer("a");
  // Until c has been refused by both.
  absl::Mutex mu;
  std::set<std::string> refused_by;
  const auto refuses_c = [&](TestNode& node, const std::string& name) {
    return node.system().Subscribe<ConnectionRefused>(
        [&mu, &refused_by, name](const ConnectionRefused& event) {
          absl::MutexLock lock(&mu);
          if (absl::IsUnauthenticated(event.why)) refused_by.insert(name);
        });
  };
  const Subscription at_a = refuses_c(*a, "a");
  const Subscription at_b = refuses_c(*b, "b");
  const auto c = start("c", std::string(32, 'c'));
  {
    absl::MutexLock lock(&mu);
    const auto both = [&] {
      mu.AssertReaderHeld();
      return refused_by.size() == 2;
    };
    mu.Await(absl::Condition(&both));
  }
  EXPECT_THAT(a->history(), ElementsAre("up b"));
  EXPECT_THAT(b->history(), ElementsAre("up a"));
  EXPECT_TRUE(c->history().empty());
}

}  // namespace
}  // namespace troupe
