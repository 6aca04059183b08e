// Parses the value of an Authorization field with the Bearer scheme (RFC 6750 §2.1, RFC 9110 §11.4).
#pragma once

#include <boost/system/result.hpp>

#include <string_view>

#include "auth/refusal.hpp"

namespace deployd::auth {

/// Returns the token of `Bearer TOKEN` as a view into `field_value`. `Refusal::no_credentials` for an empty value or
/// another scheme, `Refusal::malformed` unless the scheme and spaces are followed by exactly one token of RFC 6750
/// characters.
boost::system::result<std::string_view, Fault> bearer_token(std::string_view field_value) noexcept;

}  // namespace deployd::auth
