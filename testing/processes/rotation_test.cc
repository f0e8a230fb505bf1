// Certificates, and then the authority behind them, are changed while nodes
// talk over TLS: no session is lost, and new ones use what is there then.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/testing/processes/node_process.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe::testing {
namespace {

// The folder of all nodes: a link to what is valid now, so that it changes as a
// whole.
class Rotation {
 public:
  std::string path() const { return folder_.path() + "/now"; }

  // Those who trust `authorities`, with certificates of `issuer`.
  void Use(const std::string& authorities, const CertificateAuthority& issuer) {
    const std::string stage = absl::StrCat(folder_.path(), "/", ++stages_);
    std::filesystem::create_directory(stage);
    WriteFile(stage + "/authorities.pem", authorities);
    for (const std::string name : {"a", "b", "c"}) {
      const Certificate certificate = issuer.Issue({.names = {name}});
      WriteFile(absl::StrCat(stage, "/", name, ".pem"),
                certificate.certificate);
      WriteFile(absl::StrCat(stage, "/", name, ".key"), certificate.key);
    }
    std::filesystem::create_symlink(stage, stage + ".link");
    std::filesystem::rename(stage + ".link", path());
  }

 private:
  const ShortFolder folder_;
  int stages_ = 0;
};

TEST(RotationTest, NewAuthorityLosesNoSession) {
  const CertificateAuthority old = CertificateAuthority::Create("old");
  const CertificateAuthority anew = CertificateAuthority::Create("new");
  const std::string both = old.certificate() + anew.certificate();
  Rotation rotation;
  rotation.Use(old.certificate(), old);
  // A session ends by nothing but its connection.
  Cluster cluster({"a", "b", "c"},
                  {.silence = absl::Hours(1), .tls = rotation.path()});
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  (void)a.Take("up b");
  (void)b.Take("up a");
  a.Say("load b");
  (void)a.Take("loading b");

  // All trust both, and have certificates of the old one; then of the new one;
  // then they trust only that. Each time somebody comes who has what is new.
  rotation.Use(both, old);
  for (const std::string& authorities : {both, anew.certificate()}) {
    rotation.Use(authorities, anew);
    cluster.StartHidden("c");
    (void)a.Take("up c");
    (void)b.Take("up c");
  }
  a.Say("rest");
  (void)a.Take("rested");
  const Account account = SettledAccountOf(a, "b");
  EXPECT_EQ(account.handled, account.accepted);
  EXPECT_EQ(account.gaps, 0);
  EXPECT_EQ(a.Left("down b"), 0);
  EXPECT_EQ(b.Left("down a"), 0);
  EXPECT_TRUE(cluster.LeaveAll());
}

}  // namespace
}  // namespace troupe::testing
