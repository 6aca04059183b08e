// Removes secrets from log lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::server {

/// Returns `text` with everything that looks like a secret, plain or percent-encoded, replaced by `[redacted]`: API
/// tokens, JWTs, and passwords in URLs. The program itself logs no secrets, but clients put tokens into URLs, and
/// libraries quote their input. The time is linear in the length of any text.
std::string redacted(std::string_view text);

/// The same, and measures the work: `steps` is increased by one for each character and escape read and for each secret
/// recorded.
std::string redacted(std::string_view text, std::size_t& steps);

}  // namespace deployd::server
