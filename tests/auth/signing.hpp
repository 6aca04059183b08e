// The other side of auth/: keys with their private half, and the JWTs that an identity provider signs with them.
#pragma once

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "auth/base64url.hpp"
#include "auth/jwt/algorithm.hpp"

struct evp_pkey_st;

namespace deployd::tests {

/// A key with its private half.
class SigningKey {
 public:
  /// An RSA key of `bits`.
  static SigningKey rsa(unsigned bits);
  /// A key of `kind`: P-256, P-384, P-521, secp256k1, ED25519, ED448, X25519.
  static SigningKey of(std::string const& kind);
  static SigningKey hmac(std::string secret);

  /// The signature in the form of JWS, whether or not the algorithm suits the key.
  std::string sign(auth::Algorithm algorithm, std::string_view input) const;

  /// The ECDSA signature as OpenSSL makes it.
  std::string sign_der(auth::Algorithm algorithm, std::string_view input) const;

  std::string public_pem() const;
  std::string private_pem() const;
  std::string rsa_public_pem() const;   // PKCS #1
  std::string certificate_pem() const;  // signed with itself
  boost::json::object jwk() const;      // the public half; for HMAC the secret

 private:
  std::string secret_;
  std::shared_ptr<evp_pkey_st> pair_;
};

/// Keys that are made once a run.
SigningKey const& rsa_key();
SigningKey const& other_rsa_key();
SigningKey const& p256_key();

/// `{"alg":"NAME"}` and a signature over it and `payload`.
std::string jwt(SigningKey const& key, std::string_view algorithm, std::string_view payload);

/// Any header, signed as `algorithm` says.
std::string jwt_with_header(SigningKey const& key, auth::Algorithm algorithm, std::string_view header,
                            std::string_view payload);

}  // namespace deployd::tests
