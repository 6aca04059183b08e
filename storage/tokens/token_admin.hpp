// Creates, lists and revokes API tokens for the `deployd token` commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

struct TokenRecord {
  std::int64_t id;
  std::string name;
  std::chrono::sys_seconds created;
  std::optional<std::chrono::sys_seconds> expires;
  std::optional<std::chrono::sys_seconds> last_used;
  std::optional<std::chrono::sys_seconds> revoked;
};

/// Stores a new token by its hash and returns its id. Creates or upgrades the schema first.
std::int64_t add_token(DatabaseUrl const& url, Relations const& relations, std::string_view name, Sha256 const& hash,
                       std::optional<std::chrono::sys_seconds> expires);

/// Returns all tokens, in ascending order of id. Needs the current schema; changes nothing.
std::vector<TokenRecord> list_tokens(DatabaseUrl const& url, Relations const& relations);

/// Returns the ids of the tokens with this name that are not revoked, in ascending order. Needs the current schema;
/// changes nothing.
std::vector<std::int64_t> find_tokens(DatabaseUrl const& url, Relations const& relations, std::string_view name);

/// True if a token is neither revoked nor expired. Waits at most `timeout` for a lock or a connection.
bool has_valid_token(DatabaseUrl const& url, std::chrono::milliseconds timeout);

/// Revokes a token. Returns false if there is none with this id. Revoking twice keeps the first time.
bool revoke_token(DatabaseUrl const& url, Relations const& relations, std::int64_t id);

}  // namespace deployd::storage
