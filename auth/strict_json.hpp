// JSON objects read without the tolerance that lets two readers see two meanings in one text.
#pragma once

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace deployd::auth {

/// What a text may have at most. `members` are those of all objects in it together.
struct JsonLimits {
  std::size_t depth;
  std::size_t members = std::numeric_limits<std::size_t>::max();
};

/// What is wrong with a text, as `syntax error`.
struct JsonFault {
  std::string what;
};

/// Reads a text that is one JSON object (RFC 8259) in UTF-8, with white space around it at most. Refuses member names
/// that occur twice in one object, at any depth, unpaired surrogates, and what is beyond `limits`.
boost::system::result<boost::json::object, JsonFault> read_json_object(std::string_view text, JsonLimits limits);

}  // namespace deployd::auth
