// Keeping secrets out of the log.
#pragma once

#include <string>
#include <string_view>

namespace deployd::server {

/// `text` without what looks like a secret: API tokens, JWTs, and passwords in URLs are replaced by `[redacted]`. The
/// program logs none by itself; clients put tokens into URLs, and libraries quote what they were given.
std::string redacted(std::string_view text);

}  // namespace deployd::server
