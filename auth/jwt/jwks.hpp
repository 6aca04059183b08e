// JSON Web Key Sets (RFC 7517, RFC 7518 §6, RFC 8037 §2).
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key.hpp"

namespace deployd::auth {

/// Returns the keys of a set that verify signatures. Entries with another purpose (`use`, `key_ops`) or an unknown
/// `kty`, `crv` or `alg` are skipped. All others must be valid: an entry that violates RFC 7518, is too weak, or has an
/// `alg` that does not match its kind makes the whole set invalid. Otherwise a missing key would only be noticed by
/// users whose tokens are refused. Two entries may share a `kid` (RFC 7517 §4.5); both are then tried. Only the public
/// half of a private key is used.
///
/// Throws KeyError naming `file` and the entry, by its index from 0 and its `kid`, or if there are more than
/// `most_entries`.
std::vector<Key> read_jwks(std::string_view text, std::string const& file,
                           std::size_t most_entries = std::numeric_limits<std::size_t>::max());

/// Returns one line for each entry with members that only the owner of a private key should have (RFC 7518 §6.2.2,
/// §6.3.2; RFC 8037 §2), such as `keys.json: key 0 (kid 'a') has d, p, q`. Includes entries that `read_jwks` skips.
/// `text` must be a set that `read_jwks` has accepted.
std::vector<std::string> private_members(std::string_view text, std::string const& file);

}  // namespace deployd::auth
