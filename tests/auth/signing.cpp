#include "tests/auth/signing.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <utility>

namespace deployd::tests {
namespace {

using auth::Algorithm;
using auth::encode_base64url;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}
unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void require(bool done, char const* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

EVP_MD const* digest(Algorithm algorithm) {
  auto const of = auth::digest_of(algorithm);
  if (!of) return nullptr;
  return *of == auth::Digest::sha256 ? EVP_sha256() : *of == auth::Digest::sha384 ? EVP_sha384() : EVP_sha512();
}

bool is_pss(Algorithm algorithm) {
  return algorithm >= Algorithm::ps256 && algorithm <= Algorithm::ps512;
}

std::string written(std::function<bool(BIO*)> const& write) {
  std::unique_ptr<BIO, decltype(&BIO_free)> const memory(BIO_new(BIO_s_mem()), BIO_free);
  require(write(memory.get()), "write");
  char* data = nullptr;
  auto const length = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

std::string number(EVP_PKEY* key, char const* name, std::size_t length = 0) {
  BIGNUM* value = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &value) == 1, name);
  std::string bytes(length != 0 ? length : static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, octets(bytes), static_cast<int>(bytes.size()));
  BN_free(value);
  return bytes;
}

std::size_t coordinate_bytes(EVP_PKEY* key) {
  return static_cast<std::size_t>((EVP_PKEY_get_bits(key) + 7) / 8);
}

}  // namespace

SigningKey SigningKey::rsa(unsigned bits) {
  SigningKey key;
  key.pair_.reset(EVP_RSA_gen(bits), EVP_PKEY_free);
  require(key.pair_ != nullptr, "RSA");
  return key;
}

SigningKey SigningKey::of(std::string const& kind) {
  SigningKey key;
  bool const montgomery_or_edwards = kind.starts_with("ED") || kind.starts_with("X");
  auto* const pair = montgomery_or_edwards ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str())
                                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str());
  key.pair_.reset(pair, EVP_PKEY_free);
  require(key.pair_ != nullptr, kind.c_str());
  return key;
}

SigningKey SigningKey::hmac(std::string secret) {
  SigningKey key;
  key.secret_ = std::move(secret);
  return key;
}

std::string SigningKey::sign_der(Algorithm algorithm, std::string_view input) const {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  require(EVP_DigestSignInit(context.get(), &parameters, digest(algorithm), nullptr, pair_.get()) == 1, "sign");
  if (is_pss(algorithm)) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t length = 0;
  require(EVP_DigestSign(context.get(), nullptr, &length, octets(input), input.size()) == 1, "sign");
  std::string signature(length, '\0');
  require(EVP_DigestSign(context.get(), octets(signature), &length, octets(input), input.size()) == 1, "sign");
  signature.resize(length);
  return signature;
}

std::string SigningKey::sign(Algorithm algorithm, std::string_view input) const {
  if (!pair_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
    unsigned int length = 0;
    HMAC(digest(algorithm), secret_.data(), static_cast<int>(secret_.size()), octets(input), input.size(), mac.data(),
         &length);
    return {reinterpret_cast<char const*>(mac.data()), length};
  }
  auto const der = sign_der(algorithm, input);
  if (!EVP_PKEY_is_a(pair_.get(), "EC")) return der;

  auto const* at = octets(der);
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  auto const bytes = coordinate_bytes(pair_.get());
  std::string raw(2 * bytes, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), octets(raw), static_cast<int>(bytes));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), octets(raw) + bytes, static_cast<int>(bytes));
  return raw;
}

std::string SigningKey::public_pem() const {
  return written([&](BIO* out) { return PEM_write_bio_PUBKEY(out, pair_.get()) == 1; });
}

std::string SigningKey::private_pem() const {
  return written(
      [&](BIO* out) { return PEM_write_bio_PrivateKey(out, pair_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1; });
}

std::string SigningKey::rsa_public_pem() const {
  return written([&](BIO* out) {
    unsigned char* der = nullptr;
    auto const length = i2d_PublicKey(pair_.get(), &der);
    bool const done = length > 0 && PEM_write_bio(out, "RSA PUBLIC KEY", "", der, length) > 0;
    OPENSSL_free(der);
    return done;
  });
}

std::string SigningKey::certificate_pem() const {
  std::unique_ptr<X509, decltype(&X509_free)> const certificate(X509_new(), X509_free);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 60);
  X509_set_pubkey(certificate.get(), pair_.get());
  require(X509_sign(certificate.get(), pair_.get(), EVP_sha256()) > 0, "certificate");
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()) == 1; });
}

boost::json::object SigningKey::jwk() const {
  if (!pair_) return {{"kty", "oct"}, {"k", encode_base64url(secret_)}};
  auto* const key = pair_.get();
  if (EVP_PKEY_is_a(key, "RSA")) {
    return {{"kty", "RSA"},
            {"n", encode_base64url(number(key, OSSL_PKEY_PARAM_RSA_N))},
            {"e", encode_base64url(number(key, OSSL_PKEY_PARAM_RSA_E))}};
  }
  if (EVP_PKEY_is_a(key, "EC")) {
    auto const bytes = coordinate_bytes(key);
    return {{"kty", "EC"},
            {"crv", bytes == 32   ? "P-256"
                    : bytes == 48 ? "P-384"
                                  : "P-521"},
            {"x", encode_base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes))},
            {"y", encode_base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes))}};
  }
  std::string x(64, '\0');
  auto length = x.size();
  require(EVP_PKEY_get_raw_public_key(key, octets(x), &length) == 1, "raw key");
  x.resize(length);
  return {{"kty", "OKP"},
          {"crv", EVP_PKEY_is_a(key, "ED25519") ? "Ed25519"
                  : EVP_PKEY_is_a(key, "ED448") ? "Ed448"
                                                : "X25519"},
          {"x", encode_base64url(x)}};
}

SigningKey const& rsa_key() {
  static auto const key = SigningKey::rsa(2048);
  return key;
}

SigningKey const& other_rsa_key() {
  static auto const key = SigningKey::rsa(2048);
  return key;
}

SigningKey const& p256_key() {
  static auto const key = SigningKey::of("P-256");
  return key;
}

std::string jwt_with_header(SigningKey const& key, Algorithm algorithm, std::string_view header,
                            std::string_view payload) {
  auto const input = encode_base64url(header) + '.' + encode_base64url(payload);
  return input + '.' + encode_base64url(key.sign(algorithm, input));
}

std::string jwt(SigningKey const& key, std::string_view algorithm, std::string_view payload) {
  auto const known = auth::algorithm_of(algorithm);
  if (!known) throw std::invalid_argument("no algorithm " + std::string(algorithm));
  return jwt_with_header(key, *known, R"({"alg":")" + std::string(algorithm) + R"("})", payload);
}

}  // namespace deployd::tests
