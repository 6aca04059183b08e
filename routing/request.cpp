#include "routing/request.hpp"

#include <boost/beast/core/string.hpp>

namespace deployd::routing {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view white_space = " \t";
  auto const start = text.find_first_not_of(white_space);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(white_space) + 1 - start);
}

}  // namespace

SingleField find_field(Request const& request, std::string_view name) noexcept {
  SingleField field;
  auto rest = request.field_lines;
  while (!rest.empty()) {
    auto const end = rest.find("\r\n");
    auto const line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    auto const colon = line.find(':');
    if (colon == std::string_view::npos || !boost::beast::iequals(line.substr(0, colon), name)) continue;
    field.value = trimmed(line.substr(colon + 1));
    ++field.count;
  }
  return field;
}

}  // namespace deployd::routing
