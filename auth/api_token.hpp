// API tokens: `dpd_` and 43 base64url characters, of which the store keeps only the SHA-256.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "auth/refusal.hpp"
#include "storage/store.hpp"

namespace deployd::auth {

/// A new token from 32 random bytes of the operating system's generator.
std::string make_api_token();

/// True when `text` has the form of an API token.
bool looks_like_api_token(std::string_view text) noexcept;

/// Why a token that the store has is not good at `now`; nothing when it is.
std::optional<Refusal> refusal_of(storage::ApiToken const& token, std::chrono::system_clock::time_point now) noexcept;

/// The hash under which the store knows a token.
storage::Sha256 hash_of(std::string_view token) noexcept;

}  // namespace deployd::auth
