#include "routing/trace_context.hpp"

#include <algorithm>

namespace deployd::routing {
namespace {

constexpr std::size_t version_00_size = 55;  // version-trace_id-parent_id-flags

bool is_lowercase_hex(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) noexcept {
  return is_lowercase_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view value) noexcept {
  if (value.size() < version_00_size) return std::nullopt;
  auto const version = value.substr(0, 2);
  if (!is_lowercase_hex(version) || version == "ff") return std::nullopt;
  // Later versions may have more fields after the flags.
  bool const ends_well = value.size() == version_00_size || (version != "00" && value[version_00_size] == '-');
  if (!ends_well || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  TraceContext const context{value.substr(3, 32), value.substr(36, 16)};
  if (!is_id(context.trace_id) || !is_id(context.parent_id) || !is_lowercase_hex(value.substr(53, 2)))
    return std::nullopt;
  return context;
}

TraceContext trace_context(Request const& request) noexcept {
  auto const field = find_field(request, "traceparent");
  return field.single() ? parse_traceparent(field.value).value_or(TraceContext{}) : TraceContext{};
}

}  // namespace deployd::routing
