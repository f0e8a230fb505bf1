#include "troupe/cluster/grpc/tls.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TlsFolder;

// §34, all of these: what is wrong, in which file, and what to do.
TEST(ReadTlsFilesTest, FilesOfOneNodeAreGood) {
  TlsFolder folder;
  EXPECT_THAT(ReadTlsFiles(folder.Issue({.names = {"a"}})), IsOk());
}

TEST(ReadTlsFilesTest, PathsMustBeGiven) {
  EXPECT_THAT(ReadTlsFiles({}), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("TLS needs three files")));
}

TEST(ReadTlsFilesTest, MissingFileIsNamed) {
  TlsFolder folder;
  TlsFiles files = folder.Issue({.names = {"a"}});
  files.key = folder.FileOf("lost.key");
  EXPECT_THAT(ReadTlsFiles(files),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(files.key)));
}

TEST(ReadTlsFilesTest, FileWithoutACertificateIsNamed) {
  TlsFolder folder;
  TlsFiles files = folder.Issue({.names = {"a"}});
  files.authorities = files.key;
  EXPECT_THAT(ReadTlsFiles(files), StatusIs(absl::StatusCode::kInvalidArgument,
                                            AllOf(HasSubstr("no certificate"),
                                                  HasSubstr(files.key))));
}

TEST(ReadTlsFilesTest, FileWithoutAKeyIsNamed) {
  TlsFolder folder;
  TlsFiles files = folder.Issue({.names = {"a"}});
  files.key = files.certificate;
  EXPECT_THAT(ReadTlsFiles(files),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("no key"), HasSubstr(files.key))));
}

TEST(ReadTlsFilesTest, KeyOfAnotherCertificateIsRefused) {
  TlsFolder folder;
  TlsFiles files = folder.Issue({.names = {"a"}});
  files.key = folder.Issue({.names = {"a"}}).key;
  EXPECT_THAT(ReadTlsFiles(files),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is not that of the certificate")));
}

TEST(ReadTlsFilesTest, ExpiredCertificateIsRefused) {
  TlsFolder folder;
  EXPECT_THAT(
      ReadTlsFiles(folder.Issue(
          {.names = {"a"}, .from = -absl::Hours(2), .until = -absl::Hours(1)})),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("has expired")));
}

TEST(ReadTlsFilesTest, CertificateOfTomorrowIsRefused) {
  TlsFolder folder;
  EXPECT_THAT(
      ReadTlsFiles(folder.Issue(
          {.names = {"a"}, .from = absl::Hours(24), .until = absl::Hours(48)})),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("not valid yet")));
}

TEST(ReadTlsFilesTest, FilesAreNotLookedAtAllTheTime) {
  TlsFolder folder;
  TlsFiles files = folder.Issue({.names = {"a"}});
  files.reload_every = absl::Milliseconds(10);
  EXPECT_THAT(ReadTlsFiles(files),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("10ms")));
}

}  // namespace
}  // namespace troupe
