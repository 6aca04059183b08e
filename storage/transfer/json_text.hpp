// What the readers of JSON have in common.
#pragma once

#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::storage {

/// Options of a parser that accepts only JSON by RFC 8259, and values nested at most `max_depth` deep.
inline boost::json::parse_options strict_json(std::size_t max_depth) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  return options;
}

/// Describes an error of the parser. `text` names a text, which may have 1 MiB.
inline std::string describe_json_error(boost::system::error_code code, std::string_view text) {
  using boost::json::error;
  if (code == error::incomplete) return "the text ends in the middle of the JSON";
  if (code == error::string_too_large) return std::string(text) + " of more than 1 MiB";
  return "not JSON (RFC 8259): " + code.message();
}

}  // namespace deployd::storage
