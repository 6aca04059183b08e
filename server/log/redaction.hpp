// Keeping secrets out of the log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::server {

/// `text` without what looks like a secret, as it stands there or percent-encoded: API tokens, JWTs, and passwords in
/// URLs are replaced by `[redacted]`. The program logs none by itself; clients put tokens into URLs, and libraries
/// quote what they were given. Takes time in proportion to the text, whatever it is.
std::string redacted(std::string_view text);

/// The same, and what it took: `steps` grows by one for each character and escape that was looked at and for each
/// secret that was put down.
std::string redacted(std::string_view text, std::size_t& steps);

}  // namespace deployd::server
