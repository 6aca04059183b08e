// Public keys in PEM files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key.hpp"

namespace deployd::auth {

/// Returns all keys of a PEM text: `PUBLIC KEY`, `RSA PUBLIC KEY`, and the key of a `CERTIFICATE`, whose names and
/// dates are ignored. There must be at least one. Throws KeyError naming `file` for any other block, above all for a
/// private key: a server that only verifies tokens must not be able to make them.
std::vector<Key> read_pem(std::string_view text, std::string const& file);

}  // namespace deployd::auth
