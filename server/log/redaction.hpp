// Removes secrets from log lines.
#pragma once

#include <string>
#include <string_view>

namespace deployd::server {

/// Returns `text` with everything that looks like a secret, plain or percent-encoded, replaced by `[redacted]`: API
/// tokens, JWTs, and passwords in URLs. The program itself logs no secrets, but clients put tokens into URLs, and
/// libraries quote their input. The time is linear in the length of any text.
std::string redacted(std::string_view text);

}  // namespace deployd::server
