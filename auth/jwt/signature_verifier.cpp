#include "auth/jwt/signature_verifier.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

namespace deployd::auth {
namespace {

unsigned char const* octets(std::string_view bytes) noexcept {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

char const* name_of(Digest digest) noexcept {
  return digest == Digest::sha256 ? "SHA256" : digest == Digest::sha384 ? "SHA384" : "SHA512";
}

/// Looked up by name once per process: in OpenSSL 3.0 the look-up takes longer than hashing a token.
EVP_MD const* implementation_of(Digest digest) {
  static std::array<EVP_MD*, 3> const fetched{EVP_MD_fetch(nullptr, name_of(Digest::sha256), nullptr),
                                              EVP_MD_fetch(nullptr, name_of(Digest::sha384), nullptr),
                                              EVP_MD_fetch(nullptr, name_of(Digest::sha512), nullptr)};
  return fetched[static_cast<std::size_t>(digest)];
}

bool is_pss(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512;
}

/// Returns a reusable context for verifying signatures, or null on failure.
EVP_PKEY_CTX* prepare(Key const& key, Algorithm algorithm) {
  auto* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, key.public_key.get(), nullptr);
  bool ready = context != nullptr && EVP_PKEY_verify_init(context) == 1;
  if (ready && key.kind == KeyKind::rsa) {
    ready = EVP_PKEY_CTX_set_rsa_padding(context, is_pss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
  }
  ready = ready && EVP_PKEY_CTX_set_signature_md(context, implementation_of(*digest_of(algorithm))) == 1;
  if (ready && is_pss(algorithm)) {
    // RFC 7518 §3.5: the salt must be as long as the hash.
    ready = EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  if (ready) return context;
  EVP_PKEY_CTX_free(context);
  return nullptr;
}

std::size_t coordinate_bytes(KeyKind kind) noexcept {
  return kind == KeyKind::p256 ? 32 : kind == KeyKind::p384 ? 48 : 66;
}

/// Converts r and s of fixed length (RFC 7518 §3.4) to DER, which OpenSSL reads. Returns nothing for another length.
std::optional<std::string> ecdsa_der(std::string_view raw, std::size_t number_bytes) {
  if (raw.size() != 2 * number_bytes) return std::nullopt;
  auto const length = static_cast<int>(number_bytes);
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  auto* const r = BN_bin2bn(octets(raw), length, nullptr);
  auto* const s = BN_bin2bn(octets(raw.substr(number_bytes)), length, nullptr);
  if (!pair || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    throw std::bad_alloc();
  }
  std::string der(2 * number_bytes + 16, '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  auto const written = i2d_ECDSA_SIG(pair.get(), &out);
  if (written <= 0) return std::nullopt;
  der.resize(static_cast<std::size_t>(written));
  return der;
}

}  // namespace

void SignatureVerifier::Free::operator()(EVP_MAC* mac) const noexcept {
  EVP_MAC_free(mac);
}
void SignatureVerifier::Free::operator()(EVP_MAC_CTX* context) const noexcept {
  EVP_MAC_CTX_free(context);
}
void SignatureVerifier::Free::operator()(EVP_MD_CTX* context) const noexcept {
  EVP_MD_CTX_free(context);
}
void SignatureVerifier::Free::operator()(EVP_PKEY_CTX* context) const noexcept {
  EVP_PKEY_CTX_free(context);
}

SignatureVerifier::SignatureVerifier() : hmac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), edwards_(EVP_MD_CTX_new()) {
  if (!hmac_ || !edwards_) throw std::runtime_error("OpenSSL has no HMAC");
}

SignatureVerifier::~SignatureVerifier() = default;
SignatureVerifier::SignatureVerifier(SignatureVerifier&&) noexcept = default;
SignatureVerifier& SignatureVerifier::operator=(SignatureVerifier&&) noexcept = default;

bool SignatureVerifier::verify(Key const& key, Algorithm algorithm, std::string_view input,
                               std::string_view signature) {
  bool good = false;
  switch (key.kind) {
    case KeyKind::hmac: good = verify_hmac({&key, algorithm}, input, signature); break;
    case KeyKind::ed25519:
    case KeyKind::ed448: good = verify_edwards(key, input, signature); break;
    case KeyKind::rsa:
    case KeyKind::p256:
    case KeyKind::p384:
    case KeyKind::p521: good = verify_digest({&key, algorithm}, input, signature); break;
  }
  // Errors of a bad signature left in the thread's error queue would be reported for the next TLS call.
  if (!good) ERR_clear_error();
  return good;
}

bool SignatureVerifier::verify_hmac(Use const& use, std::string_view input, std::string_view signature) {
  auto const digest = *digest_of(use.second);
  if (signature.size() != size_of(digest)) return false;

  auto& context = macs_[use];
  if (!context) {
    context.reset(EVP_MAC_CTX_new(hmac_.get()));
    std::string name = name_of(digest);
    std::array<OSSL_PARAM, 2> const params{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), name.size()), OSSL_PARAM_construct_end()};
    auto const& secret = use.first->secret;
    if (!context || EVP_MAC_init(context.get(), octets(secret), secret.size(), params.data()) != 1) {
      context.reset();
      return false;
    }
  } else if (EVP_MAC_init(context.get(), nullptr, 0, nullptr) != 1) {
    context.reset();
    return false;
  }

  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  std::size_t length = 0;
  return EVP_MAC_update(context.get(), octets(input), input.size()) == 1 &&
         EVP_MAC_final(context.get(), mac.data(), &length, mac.size()) == 1 && length == signature.size() &&
         CRYPTO_memcmp(mac.data(), signature.data(), length) == 0;
}

bool SignatureVerifier::verify_edwards(Key const& key, std::string_view input, std::string_view signature) {
  return EVP_MD_CTX_reset(edwards_.get()) == 1 &&
         EVP_DigestVerifyInit_ex(edwards_.get(), nullptr, nullptr, nullptr, nullptr, key.public_key.get(), nullptr) ==
             1 &&
         EVP_DigestVerify(edwards_.get(), octets(signature), signature.size(), octets(input), input.size()) == 1;
}

bool SignatureVerifier::verify_digest(Use const& use, std::string_view input, std::string_view signature) {
  auto const kind = use.first->kind;
  std::optional<std::string> der;
  if (kind != KeyKind::rsa) {
    der = ecdsa_der(signature, coordinate_bytes(kind));
    if (!der) return false;
    signature = *der;
  }

  auto& context = verifications_[use];
  if (!context) context.reset(prepare(*use.first, use.second));
  if (!context) return false;

  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned int length = 0;
  return EVP_Digest(input.data(), input.size(), hash.data(), &length, implementation_of(*digest_of(use.second)),
                    nullptr) == 1 &&
         EVP_PKEY_verify(context.get(), octets(signature), signature.size(), hash.data(), length) == 1;
}

}  // namespace deployd::auth
