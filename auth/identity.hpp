// The owner of a valid token.
#pragma once

#include <cstdint>
#include <string>

namespace deployd::auth {

struct Identity {
  std::string subject;  // for the access log: an API token's name, or a JWT's `sub`
  std::uint64_t key;    // the same for the same token (API token) or the same issuer and subject (JWT), for rate limits
};

}  // namespace deployd::auth
