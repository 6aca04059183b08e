// Public keys in PEM files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key.hpp"

namespace deployd::auth {

/// All keys of a PEM text: `PUBLIC KEY`, `RSA PUBLIC KEY`, and the key of a `CERTIFICATE`, whose names and dates are
/// not looked at. At least one. Throws KeyError naming `file` for anything else, a private key above all: who can read
/// it can make tokens, and a server that checks them has no need to.
std::vector<Key> read_pem(std::string_view text, std::string const& file);

}  // namespace deployd::auth
