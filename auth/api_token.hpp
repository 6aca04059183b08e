// API tokens: `dpd_` followed by 43 base64url characters. The store keeps only their SHA-256.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "auth/refusal.hpp"
#include "storage/store.hpp"

namespace deployd::auth {

/// Returns a new token made of 32 random bytes from the operating system's generator.
std::string make_api_token();

/// True when `text` has the form of an API token.
bool looks_like_api_token(std::string_view text) noexcept;

/// Returns why a token that is in the store is not valid at `now`, or nothing if it is valid.
std::optional<Refusal> refusal_of(storage::ApiToken const& token, std::chrono::system_clock::time_point now) noexcept;

/// Returns the hash under which the store keeps a token.
storage::Sha256 hash_of(std::string_view token) noexcept;

}  // namespace deployd::auth
