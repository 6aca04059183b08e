#include "routing/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "routing/text_encoding.hpp"

namespace deployd::routing {
namespace {

QueryError error_about(std::string_view name, std::string_view complaint) {
  return {"Query parameter '" + to_valid_utf8(name) + "' " + std::string(complaint)};
}

/// The meaning of one parameter of the list: how its value gets into the filter. False when the value is bad.
struct ListParameter {
  std::string_view name;
  std::string_view must;  // what the value must be, for the error
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

/// Takes what stands before the first `delimiter` off `rest`, and the delimiter; all of it when there is none.
std::string_view take_until(std::string_view& rest, char delimiter) noexcept {
  auto const end = rest.find(delimiter);
  auto const taken = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return taken;
}

Parsed<std::string> decode_piece(std::string_view raw, std::string_view parameter) {
  auto decoded = percent_decode(raw, PlusSign::space);
  if (!decoded) return error_about(parameter, "has a bad percent escape");
  if (!is_utf8(*decoded)) return error_about(parameter, "is not UTF-8");
  return std::move(*decoded);
}

void append_parameter(std::string& reference, std::string_view name, std::string_view value) {
  reference += reference.ends_with('?') ? "" : "&";
  reference += name;
  reference += '=';
  append_percent_encoded(reference, value);
}

}  // namespace

void throw_exception_from_error(QueryError const& error, boost::source_location const&) {
  throw std::logic_error(error.message);
}

Parsed<QueryParameters> decode_query(std::string_view query) {
  QueryParameters parameters;
  while (!query.empty()) {
    auto const piece = take_until(query, '&');
    if (piece.empty()) continue;

    auto raw_value = piece;
    auto const raw_name = take_until(raw_value, '=');
    auto name = decode_piece(raw_name, raw_name);
    if (!name) return name.error();
    auto value = decode_piece(raw_value, *name);
    if (!value) return value.error();
    auto const same_name = [&](auto const& earlier) { return earlier.first == *name; };
    if (std::ranges::any_of(parameters, same_name)) return error_about(*name, "is given more than once");
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

Parsed<storage::Filter> read_filter(QueryParameters const& parameters) {
  storage::Filter filter;
  for (auto const& [name, value] : parameters) {
    auto const known = std::ranges::find(list_parameters, name, &ListParameter::name);
    if (known == list_parameters.end()) return error_about(name, "is unknown");
    if (!known->apply(filter, value))
      return error_about(name, "must be " + std::string(known->must) + ", not '" + value + "'");
  }
  return filter;
}

Parsed<void> expect_no_parameters(QueryParameters const& parameters) {
  if (!parameters.empty()) return error_about(parameters.front().first, "is unknown");
  return {};
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
  std::string reference = "/api/v1/deployments?";
  if (filter.pattern) append_parameter(reference, "pattern", *filter.pattern);
  if (filter.pattern_id) append_parameter(reference, "pattern_id", std::to_string(*filter.pattern_id));
  if (filter.name) append_parameter(reference, "name", *filter.name);
  if (filter.limit) append_parameter(reference, "$limit", std::to_string(*filter.limit));
  append_parameter(reference, "id%5B$gt%5D", std::to_string(last_id));
  return reference;
}

}  // namespace deployd::routing
