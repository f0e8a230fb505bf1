#include "troupe/tools/certificates/authority.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openssl/bio.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// The DNS names among the alternative names of the subject.
std::vector<std::string> NamesIn(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          certificate.get(), NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
        static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return names;
}

TEST(CertificateAuthorityTest, NamesAreThoseOfTheOrder) {
  const auto authority = CertificateAuthority::Create("test");
  EXPECT_THAT(
      NamesIn(authority.Issue({.names = {"a", "b:1_2-3.c"}}).certificate),
      ElementsAre("a", "b:1_2-3.c"));
}

// A common name has 64 characters at most, the name of a node 255.
TEST(CertificateAuthorityTest, LongestNameOfANodeIsWhole) {
  const auto authority = CertificateAuthority::Create(std::string(65, 'x'));
  const std::string longest(255, 'n');
  EXPECT_THAT(NamesIn(authority.Issue({.names = {longest}}).certificate),
              ElementsAre(longest));
}

}  // namespace
}  // namespace troupe
