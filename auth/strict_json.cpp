#include "auth/strict_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace deployd::auth {
namespace {

/// Counts the members in the text of a valid JSON document, including duplicates: each has one colon outside of
/// strings.
std::size_t members_written(std::string_view text) noexcept {
  std::size_t members = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': in_string = !in_string; break;
      case '\\': ++i; break;  // occurs in strings only
      case ':': members += in_string ? 0 : 1; break;
      default: break;
    }
  }
  return members;
}

/// Counts the members that are left after parsing. The parser limits the depth of the recursion.
std::size_t members_kept(boost::json::value const& value) noexcept {
  std::size_t members = 0;
  if (auto const* object = value.if_object()) {
    members = object->size();
    for (auto const& member : *object) members += members_kept(member.value());
  } else if (auto const* array = value.if_array()) {
    for (auto const& element : *array) members += members_kept(element);
  }
  return members;
}

}  // namespace

boost::system::result<boost::json::object, JsonFault> read_json_object(std::string_view text, JsonLimits limits) {
  // Also works for invalid JSON: it counts all members up to the place where the parser finds the error.
  auto const written = members_written(text);
  if (written > limits.members) return JsonFault{"too many members"};
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::system::error_code failure;
  auto value = boost::json::parse(text, failure, {}, options);
  if (failure) return JsonFault{failure.message()};
  if (!value.is_object()) return JsonFault{"not an object"};
  // The parser keeps only the last of several members with one name, so there are fewer than in the text.
  if (members_kept(value) != written) return JsonFault{"a member name occurs twice"};
  return std::move(value.as_object());
}

}  // namespace deployd::auth
