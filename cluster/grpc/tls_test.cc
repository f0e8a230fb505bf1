#include "troupe/cluster/grpc/tls.h"

#include <cstddef>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openssl/asn1.h"
#include "openssl/bio.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
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

// As tools write them that add too much to the time.
std::string WithoutATime(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
  EXPECT_EQ(ASN1_STRING_set(X509_getm_notAfter(certificate.get()), "never", 5),
            1);
  EXPECT_GT(i2d_re_X509_tbs(certificate.get(), nullptr), 0);
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()),
                                                &BIO_free);
  EXPECT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

TEST(ReadTlsFilesTest, CertificateWithoutATimeIsRefused) {
  TlsFolder folder;
  const TlsFiles files = folder.Issue({.names = {"a"}});
  std::string pem;
  std::getline(std::ifstream(files.certificate), pem, '\0');
  testing::WriteFile(files.certificate, WithoutATime(pem));
  EXPECT_THAT(ReadTlsFiles(files),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no time that can be read")));
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
