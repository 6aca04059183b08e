// JSON Web Key Sets (RFC 7517, RFC 7518 §6, RFC 8037 §2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key.hpp"

namespace deployd::auth {

/// The keys of a set that check signatures. Entries that have another purpose (`use`, `key_ops`) or an unknown `kty`,
/// `crv` or `alg` are passed over. The rest must be in order: an entry that breaks RFC 7518, is too weak, or has an
/// `alg` that its kind does not suit makes the whole set bad, since a key that is missing unnoticed is found by users.
/// Two entries may share a `kid` (RFC 7517 §4.5): both are candidates for it. Of a private key the public half is used.
///
/// Throws KeyError naming `file` and the entry, by its place from 0 and its `kid`.
std::vector<Key> read_jwks(std::string_view text, std::string const& file);

/// The entries of a set with members that only the owner of a private key should have (RFC 7518 §6.2.2, §6.3.2; RFC
/// 8037 §2), as `keys.json: key 0 (kid 'a') has d, p, q`: a line each, those of entries that `read_jwks` passes over
/// too. `text` is a set that `read_jwks` has read.
std::vector<std::string> private_members(std::string_view text, std::string const& file);

}  // namespace deployd::auth
