// JWTs: what is read strictly has one form only, and its claims are read or refused.
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/base64url.hpp"
#include "auth/bearer_credentials.hpp"
#include "auth/jwt/claims.hpp"
#include "auth/jwt/jwt.hpp"
#include "tests/fuzz/expect.hpp"

namespace auth = deployd::auth;
using deployd::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  if (auto const token = auth::bearer_token(text)) expect(!token->empty(), "a bearer token is not empty");

  // Few inputs are base64url by chance, so the payload is tried on its own too.
  if (auto const claims = auth::read_claims(text); !claims)
    expect(!to_string(claims.error().why).empty(), "a refusal has a name");

  if (auto const bytes = auth::decode_base64url(text))
    expect(auth::encode_base64url(*bytes) == text, "base64url has one form");

  auto const header_dot = text.find('.');
  auto const token = header_dot == std::string_view::npos
                         ? auth::encode_base64url(text) + ".e30.AA"
                         : auth::encode_base64url(text.substr(0, header_dot)) + "." +
                               auth::encode_base64url(text.substr(header_dot + 1)) + ".AA";
  for (std::string_view const candidate : {text, std::string_view(token)}) {
    if (auto const jwt = auth::read_jwt(candidate)) {
      expect(candidate.starts_with(jwt->signed_text), "what is signed is the beginning of the token");
      (void)auth::read_claims(jwt->payload);
    }
  }
  return 0;
}
