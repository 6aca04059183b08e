#include "auth/jwt/jwt.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/base64url.hpp"
#include "auth/strict_json.hpp"

namespace deployd::auth {
namespace {

// Headers are parsed before the signature is checked. With few members, colliding names in a hash table cost nothing.
constexpr JsonLimits header_limits{.depth = 16, .members = 256};

constexpr std::array texts{"alg", "kid", "typ", "cty"};

struct Header {
  Algorithm algorithm;
  std::optional<std::string> kid;
};

boost::system::result<Header, Fault> read_header(std::string_view text) {
  auto const header = read_json_object(text, header_limits);
  if (!header) return Fault(Refusal::malformed, "the header is not a strict JSON object");
  for (auto const* const name : texts) {
    auto const* const value = header->if_contains(name);
    if (value != nullptr && !value->is_string())
      return Fault(Refusal::malformed, "alg, kid, typ or cty in the header is not a string");
  }
  if (header->contains("crit")) return Refusal::critical_extension;

  auto const* const alg = header->if_contains("alg");
  if (alg == nullptr) return Fault(Refusal::malformed, "the header has no alg");
  auto const algorithm = algorithm_of(alg->get_string());
  if (!algorithm) return Refusal::algorithm;
  auto const* const kid = header->if_contains("kid");
  return Header{*algorithm, kid != nullptr ? std::optional(std::string(kid->get_string())) : std::nullopt};
}

}  // namespace

boost::system::result<Jwt, Fault> read_jwt(std::string_view token) {
  if (std::ranges::count(token, '.') != 2)
    return Fault(Refusal::malformed, "it does not have the three parts of a JWT, with dots between them");
  auto const header_end = token.find('.');
  auto const payload_end = token.rfind('.');

  auto const header_bytes = decode_base64url(token.substr(0, header_end));
  auto payload = decode_base64url(token.substr(header_end + 1, payload_end - header_end - 1));
  auto signature = decode_base64url(token.substr(payload_end + 1));
  if (!header_bytes) return Fault(Refusal::malformed, "the header is not base64url");
  if (!payload) return Fault(Refusal::malformed, "the payload is not base64url");
  if (!signature) return Fault(Refusal::malformed, "the signature is not base64url");

  auto header = read_header(*header_bytes);
  if (!header) return header.error();
  return Jwt{.algorithm = header->algorithm,
             .kid = std::move(header->kid),
             .signed_text = token.substr(0, payload_end),
             .payload = *std::move(payload),
             .signature = *std::move(signature)};
}

}  // namespace deployd::auth
