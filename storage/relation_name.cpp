#include "storage/relation_name.hpp"

#include <optional>
#include <variant>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

// PostgreSQL silently truncates longer names, and could then find another relation.
constexpr std::size_t longest_name = 63;

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9') || c == '$';
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Removes one part of a name from the front of `text` and returns it, or nothing if there is none.
std::optional<std::string> take_part(std::string_view& text) {
  std::string part;
  if (text.starts_with('"')) {
    for (text.remove_prefix(1);; text.remove_prefix(1)) {
      if (text.empty() || text.front() == '\0') return std::nullopt;
      if (text.front() == '"') {
        text.remove_prefix(1);
        if (!text.starts_with('"')) break;
      }
      part += text.front();
    }
  } else {
    while (!text.empty() && (part.empty() ? begins_name(text.front()) : continues_name(text.front()))) {
      part += folded(text.front());
      text.remove_prefix(1);
    }
  }
  if (part.empty() || part.size() > longest_name) return std::nullopt;
  return part;
}

std::string quoted(std::string_view part) {
  std::string out = "\"";
  for (char const c : part) out.append(c == '"' ? 2 : 1, c);
  return out += '"';
}

}  // namespace

boost::system::result<std::string> quote_relation(std::string_view name) {
  auto const first = take_part(name);
  if (!first) return make_error_code(errc::bad_input);
  if (name.empty()) return quoted(*first);
  if (name.front() != '.') return make_error_code(errc::bad_input);
  name.remove_prefix(1);
  auto const second = take_part(name);
  if (!second || !name.empty()) return make_error_code(errc::bad_input);
  return quoted(*first) + '.' + quoted(*second);
}

RelationNames relation_names(Relations const& relations) {
  if (!relations.foreign()) return {"deployd.patterns", "deployd.deployments", true};
  return {quote_relation(relations.patterns).value(), quote_relation(relations.deployments).value(), false};
}

std::string is_whole_number(std::string const& column) {
  return "(" + column + " % 1 = 0 AND " + column +
         " BETWEEN '-9223372036854775808'::bigint AND '9223372036854775807'::bigint)";
}

TableNames table_names(DatabaseUrl const& url, Relations const& relations) {
  if (auto const* sqlite = std::get_if<SqliteUrl>(&url))
    return {sqlite->path + ": patterns", sqlite->path + ": deployments"};
  if (!relations.foreign()) return {"deployd.patterns", "deployd.deployments"};
  return {relations.patterns, relations.deployments};
}

}  // namespace deployd::storage
