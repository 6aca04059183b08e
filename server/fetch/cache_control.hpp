// How long a response may be reused, and when to ask again.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace deployd::server {

/// The `max-age` of a Cache-Control field (RFC 9111 §5.2.2.1); nothing when it has none that is a number. A number too
/// large to matter is read as 2^31 (RFC 9111 §1.2.2). Of several the smallest counts.
std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control);

/// How long a Retry-After field asks to wait at `now`: a number of seconds or a date (RFC 9110 §10.2.3). Nothing for
/// anything else.
std::optional<std::chrono::seconds> retry_after_of(std::string_view value, std::chrono::system_clock::time_point now);

}  // namespace deployd::server
