// The value of an Authorization field, as far as the Bearer scheme goes (RFC 6750 §2.1, RFC 9110 §11.4).
#pragma once

#include <boost/system/result.hpp>

#include <string_view>

#include "auth/refusal.hpp"

namespace deployd::auth {

/// The one token of `Bearer TOKEN`, a view into `field_value`.
/// `Refusal::no_credentials` for an empty value or another scheme, `Refusal::malformed` for anything else than one
/// token of RFC 6750 characters behind the scheme and spaces.
boost::system::result<std::string_view, Fault> bearer_token(std::string_view field_value) noexcept;

}  // namespace deployd::auth
