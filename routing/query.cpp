#include "routing/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include "base/nearest_name.hpp"
#include "base/percent_encoding.hpp"
#include "base/utf8.hpp"

namespace deployd::routing {
namespace {

HttpError error_about(std::string_view name, std::string_view complaint) {
  return bad_request("Query parameter '" + base::to_valid_utf8(name) + "' " + std::string(complaint));
}

/// A parameter of the list, and how its value is stored in the filter. The function returns false for a bad value.
struct ListParameter {
  std::string_view name;
  std::string_view must;  // what the value must be, for error messages
  bool (*apply)(storage::Filter& filter, std::string const& value);
};

template <auto member>
bool apply_text(storage::Filter& filter, std::string const& value) {
  filter.*member = value;
  return true;
}

template <auto member>
bool apply_integer(storage::Filter& filter, std::string const& value) {
  auto const number = parse_integer(value);
  if (number) filter.*member = *number;
  return number.has_value();
}

template <auto member>
bool apply_count(storage::Filter& filter, std::string const& value) {
  auto const number = parse_integer(value);
  if (!number || *number < 0 || value.starts_with('-')) return false;
  filter.*member = static_cast<std::uint64_t>(*number);
  return true;
}

constexpr std::string_view an_integer = "a decimal 64-bit integer";
constexpr std::string_view a_count = "a decimal integer from 0 to 9223372036854775807";

constexpr std::array list_parameters{
    ListParameter{"pattern", "", apply_text<&storage::Filter::pattern>},
    ListParameter{"pattern_id", an_integer, apply_integer<&storage::Filter::pattern_id>},
    ListParameter{"name", "", apply_text<&storage::Filter::name>},
    ListParameter{"$limit", a_count, apply_count<&storage::Filter::limit>},
    ListParameter{"$skip", a_count, apply_count<&storage::Filter::skip>},
    ListParameter{"id[$gt]", an_integer, apply_integer<&storage::Filter::id_greater_than>},
};

/// Returns the parameters of a list. A list of patterns has all but those that name a pattern, which come first.
std::span<ListParameter const> parameters_of(storage::Table table) noexcept {
  return std::span(list_parameters).subspan(table == storage::Table::patterns ? 2 : 0);
}

HttpError unknown(std::string_view name, std::span<ListParameter const> parameters) {
  std::array<std::string_view, list_parameters.size()> names;
  std::ranges::transform(parameters, names.begin(), &ListParameter::name);
  auto error = error_about(name, "is unknown");
  error.did_you_mean = base::nearest_name(name, std::span(names).first(parameters.size()));
  return error;
}

/// Removes the text before the first `delimiter` from `rest`, and the delimiter, or all of it if there is none. Returns
/// the text.
std::string_view take_until(std::string_view& rest, char delimiter) noexcept {
  auto const end = rest.find(delimiter);
  auto const taken = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return taken;
}

/// An undecoded parameter of a query.
struct RawParameter {
  std::string_view raw_name;
  std::string_view raw_value;
};

/// Removes the next parameter from `query` and returns it, or nothing if there is none left.
std::optional<RawParameter> take_parameter(std::string_view& query) noexcept {
  while (!query.empty()) {
    auto raw_value = take_until(query, '&');
    if (raw_value.empty()) continue;
    auto const raw_name = take_until(raw_value, '=');
    return RawParameter{raw_name, raw_value};
  }
  return std::nullopt;
}

Parsed<std::string> decode_piece(std::string_view raw, std::string_view parameter) {
  auto decoded = base::percent_decode(raw, base::PlusSign::space);
  if (!decoded) return error_about(parameter, "has a bad percent escape");
  if (!base::is_utf8(*decoded)) return error_about(parameter, "is not UTF-8");
  return std::move(*decoded);
}

void append_parameter(std::string& reference, std::string_view name, std::string_view value) {
  reference += reference.ends_with('?') ? "" : "&";
  reference += name;
  reference += '=';
  base::append_percent_encoded(reference, value);
}

}  // namespace

Parsed<storage::Filter> read_filter(std::string_view query, storage::Table table) {
  auto const parameters = parameters_of(table);
  storage::Filter filter{.table = table};
  std::array<bool, list_parameters.size()> given{};
  while (auto const parameter = take_parameter(query)) {
    auto const name = decode_piece(parameter->raw_name, parameter->raw_name);
    if (!name) return name.error();
    auto const known = std::ranges::find(parameters, *name, &ListParameter::name);
    if (known == parameters.end()) return unknown(*name, parameters);
    auto& given_before = given[static_cast<std::size_t>(known - parameters.begin())];
    if (std::exchange(given_before, true)) return error_about(*name, "is given more than once");
    auto const value = decode_piece(parameter->raw_value, *name);
    if (!value) return value.error();
    if (!known->apply(filter, *value))
      return error_about(*name, "must be " + std::string(known->must) + ", not '" + *value + "'");
  }
  return filter;
}

Parsed<void> expect_no_parameters(std::string_view query) {
  auto const parameter = take_parameter(query);
  if (!parameter) return {};
  auto const name = decode_piece(parameter->raw_name, parameter->raw_name);
  return name ? error_about(*name, "is unknown") : name.error();
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  auto const* const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_plain_id(std::string_view text) noexcept {
  auto const digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.starts_with('0') && text != "0") return std::nullopt;
  return parse_integer(text);
}

std::string next_page(storage::Filter const& filter, std::int64_t last_id) {
  std::string reference = filter.table == storage::Table::patterns ? "/api/v1/patterns?" : "/api/v1/deployments?";
  if (filter.pattern) append_parameter(reference, "pattern", *filter.pattern);
  if (filter.pattern_id) append_parameter(reference, "pattern_id", std::to_string(*filter.pattern_id));
  if (filter.name) append_parameter(reference, "name", *filter.name);
  if (filter.limit) append_parameter(reference, "$limit", std::to_string(*filter.limit));
  append_parameter(reference, "id%5B$gt%5D", std::to_string(last_id));
  return reference;
}

}  // namespace deployd::routing
