// Parses JSON objects strictly, so that two readers cannot interpret one text differently.
#pragma once

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace deployd::auth {

/// Limits of a text. `members` counts those of all objects in it together.
struct JsonLimits {
  std::size_t depth;
  std::size_t members = std::numeric_limits<std::size_t>::max();
};

/// What is wrong with a text, such as `syntax error`.
struct JsonFault {
  std::string what;
};

/// Parses a text that is one JSON object (RFC 8259) in UTF-8, with optional white space around it. Refuses member names
/// that occur twice in one object, at any depth, unpaired surrogates, and texts that exceed `limits`.
boost::system::result<boost::json::object, JsonFault> read_json_object(std::string_view text, JsonLimits limits);

}  // namespace deployd::auth
