#include "troupe/tools/certificates/authority.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "openssl/bio.h"
#include "openssl/ec.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/rand.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<&X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<&X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Free<&BIO_free_all>>;

constexpr char kCurve[] = "P-256";
// X.520: what is longer is refused.
constexpr size_t kMaxCommonName = 64;

void Must(bool ok) { TROUPE_CHECK(ok, "OpenSSL makes certificates"); }

template <typename Write>
std::string Pem(Write write) {
  const Bio out(BIO_new(BIO_s_mem()));
  Must(out != nullptr && write(out.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string ToPem(X509* certificate) {
  return Pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string ToPem(EVP_PKEY* key) {
  return Pem([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr,
                                    nullptr);
  });
}

Key NewKey() {
  Key key(EVP_EC_gen(kCurve));
  Must(key != nullptr);
  return key;
}

void AddExtension(X509* certificate, X509* issuer, int nid,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  Must(extension != nullptr &&
       X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Without extensions and signature.
X509Ptr NewCertificate(absl::string_view name, EVP_PKEY* key,
                       absl::Duration from, absl::Duration until) {
  X509Ptr certificate(X509_new());
  Must(certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  uint64_t serial = 0;
  Must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) ==
       1);
  Must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()),
                               serial >> 1) == 1);
  Must(X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                       static_cast<long>(absl::ToInt64Seconds(from))) !=
       nullptr);
  Must(X509_gmtime_adj(X509_getm_notAfter(certificate.get()),
                       static_cast<long>(absl::ToInt64Seconds(until))) !=
       nullptr);
  Must(X509_set_pubkey(certificate.get(), key) == 1);
  // The common name is for readers; nodes are known by the alternative names.
  name = name.substr(0, kMaxCommonName);
  Must(X509_NAME_add_entry_by_txt(
           X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
           reinterpret_cast<const unsigned char*>(name.data()),
           static_cast<int>(name.size()), -1, 0) == 1);
  return certificate;
}

}  // namespace

struct CertificateAuthority::Own {
  Key key;
  X509Ptr certificate;
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Own> own,
                                           std::string certificate)
    : own_(std::move(own)), certificate_(std::move(certificate)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) = default;
CertificateAuthority::~CertificateAuthority() = default;

CertificateAuthority CertificateAuthority::Create(absl::string_view name) {
  auto own = std::make_unique<Own>();
  own->key = NewKey();
  own->certificate =
      NewCertificate(name, own->key.get(), -absl::Hours(1), kValidFor);
  X509* const self = own->certificate.get();
  Must(X509_set_issuer_name(self, X509_get_subject_name(self)) == 1);
  AddExtension(self, self, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(self, self, NID_subject_key_identifier, "hash");
  Must(X509_sign(self, own->key.get(), EVP_sha256()) > 0);
  std::string pem = ToPem(self);
  return CertificateAuthority(std::move(own), std::move(pem));
}

Certificate CertificateAuthority::Issue(const Order& order) const {
  const Key key = NewKey();
  X509* const issuer = own_->certificate.get();
  const X509Ptr certificate =
      NewCertificate(order.names.empty() ? "nobody" : order.names.front(),
                     key.get(), order.from, order.until);
  Must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) ==
       1);
  AddExtension(certificate.get(), issuer, NID_key_usage,
               "critical,digitalSignature");
  AddExtension(certificate.get(), issuer, NID_ext_key_usage, order.use);
  // Tells this authority from an older one of the same name.
  AddExtension(certificate.get(), issuer, NID_authority_key_identifier,
               "keyid:always");
  if (!order.names.empty()) {
    AddExtension(certificate.get(), issuer, NID_subject_alt_name,
                 absl::StrJoin(order.names, ",",
                               [](std::string* out, const std::string& name) {
                                 absl::StrAppend(out, "DNS:", name);
                               }));
  }
  Must(X509_sign(certificate.get(), own_->key.get(), EVP_sha256()) > 0);
  return {.certificate = ToPem(certificate.get()), .key = ToPem(key.get())};
}

}  // namespace troupe
