#include "auth/api_token.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <stdexcept>

#include "auth/base64url.hpp"

namespace deployd::auth {
namespace {

constexpr std::string_view prefix = "dpd_";
constexpr std::size_t random_bytes = 32;

}  // namespace

std::string make_api_token() {
  std::array<unsigned char, random_bytes> secret;
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    throw std::runtime_error("the system has no random numbers to make a token of");
  }
  return std::string(prefix) + encode_base64url({reinterpret_cast<char const*>(secret.data()), secret.size()});
}

bool looks_like_api_token(std::string_view text) noexcept {
  if (!text.starts_with(prefix)) return false;
  return is_base64url_of(text.substr(prefix.size()), random_bytes);
}

std::optional<Refusal> refusal_of(storage::ApiToken const& token, std::chrono::system_clock::time_point now) noexcept {
  if (token.revoked) return Refusal::revoked;
  // Compared in seconds: a far expiry does not fit into the clock's nanoseconds.
  if (token.expires && std::chrono::floor<std::chrono::seconds>(now) >= *token.expires) return Refusal::expired;
  return std::nullopt;
}

storage::Sha256 hash_of(std::string_view token) noexcept {
  storage::Sha256 hash;
  SHA256(reinterpret_cast<unsigned char const*>(token.data()), token.size(), hash.data());
  return hash;
}

}  // namespace deployd::auth
