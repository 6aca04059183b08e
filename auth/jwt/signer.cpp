#include "auth/jwt/signer.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <stdexcept>

#include "auth/base64url.hpp"
#include "auth/jwt/key.hpp"
#include "auth/strict_json.hpp"

namespace deployd::auth {
namespace {

constexpr std::string_view header = R"({"alg":"HS256","typ":"JWT"})";

std::string payload_of(Claims const& claims) {
  boost::json::object payload;
  payload["sub"] = claims.subject;
  if (claims.issuer) payload["iss"] = *claims.issuer;
  if (claims.audience) payload["aud"] = *claims.audience;
  payload["iat"] = claims.issued_at.time_since_epoch().count();
  payload["exp"] = claims.expires.time_since_epoch().count();
  auto text = boost::json::serialize(payload);
  if (!read_json_object(text, {2})) throw std::invalid_argument("a claim of the token is not UTF-8");
  return text;
}

}  // namespace

std::string sign_hs256(Claims const& claims, std::string_view secret) {
  auto const key = make_hmac_key(secret, "the secret to sign with");
  auto token = encode_base64url(header) + '.' + encode_base64url(payload_of(claims));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()),
           reinterpret_cast<unsigned char const*>(token.data()), token.size(), mac.data(), &length) == nullptr) {
    throw std::runtime_error("OpenSSL has no HMAC");
  }
  return token + '.' + encode_base64url({reinterpret_cast<char const*>(mac.data()), length});
}

}  // namespace deployd::auth
