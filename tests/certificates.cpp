#include "tests/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <functional>
#include <stdexcept>

namespace deployd::tests {
namespace {

void require(bool done) {
  if (!done) throw std::runtime_error("a certificate for a test cannot be made");
}

std::string written(std::function<int(BIO*)> const& write) {
  std::unique_ptr<BIO, decltype(&BIO_free)> const memory(BIO_new(BIO_s_mem()), BIO_free);
  require(write(memory.get()) == 1);
  char* data = nullptr;
  auto const size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string to_pem(EVP_PKEY* key) {
  return written([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

std::shared_ptr<EVP_PKEY> make_key(KeyType type) {
  auto const rsa = [](std::size_t bits) { return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits); };
  auto* const key = type == KeyType::rsa        ? rsa(2048)
                    : type == KeyType::weak_rsa ? rsa(1024)
                                                : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  require(key != nullptr);
  return {key, EVP_PKEY_free};
}

void extend(X509* certificate, int extension, std::string const& value) {
  auto* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  require(made != nullptr && X509_add_ext(certificate, made, -1) == 1);
  X509_EXTENSION_free(made);
}

/// A certificate that only lacks its issuer and signature.
std::shared_ptr<X509> begin(EVP_PKEY* key, std::string const& name, std::chrono::seconds from,
                            std::chrono::seconds until) {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  auto* const made = certificate.get();
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial);
  X509_gmtime_adj(X509_getm_notBefore(made), from.count());
  X509_gmtime_adj(X509_getm_notAfter(made), until.count());
  X509_set_pubkey(made, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::string const& name) : key_(make_key(KeyType::p256)) {
  own_ = begin(key_.get(), name, std::chrono::hours(-24), std::chrono::hours(24));
  X509_set_issuer_name(own_.get(), X509_get_subject_name(own_.get()));
  extend(own_.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(own_.get(), NID_key_usage, "critical,keyCertSign");
  require(X509_sign(own_.get(), key_.get(), EVP_sha256()) != 0);
  pem_ = to_pem(own_.get());
}

CertificateAndKey CertificateAuthority::issue(CertificateWish const& wish) const {
  auto const key = make_key(wish.key);
  auto const certificate = begin(key.get(), wish.names.front(), wish.from, wish.until);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(own_.get()));
  std::string names;
  for (auto const& name : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  extend(certificate.get(), NID_subject_alt_name, names);
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) != 0);
  return {to_pem(certificate.get()), to_pem(key.get())};
}

std::string encrypted(std::string const& key_pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> const source(
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), BIO_free);
  std::shared_ptr<EVP_PKEY> const key(PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  std::string passphrase = "secret";
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                         static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

}  // namespace deployd::tests
