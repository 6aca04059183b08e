// Decodes the query of a request strictly into the parameters of a route.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/http_error.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

/// Either a value or a 400 that names the parameter at fault. It suggests the parameter most similar to an unknown one.
template <typename T>
using Parsed = boost::system::result<T, HttpError>;

/// Parses the query of `GET /api/v1/deployments`, `name=value&...` (WHATWG URL §5.1, but strict): `+` is a space, and
/// empty pieces are skipped. Errors are an unknown name, a name given twice, an invalid value, a bad escape and bytes
/// that are not UTF-8. Stops at the first error: however many parameters a query has, at most one more than there are
/// names is read.
Parsed<storage::Filter> read_filter(std::string_view query, storage::Table table = storage::Table::deployments);

/// For a route without parameters: fails with an error that names the first parameter.
Parsed<void> expect_no_parameters(std::string_view query);

/// Returns the value of a decimal integer with an optional minus sign, and of nothing else (no plus sign, no white
/// space).
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

/// Returns the id with this plain decimal form: no leading zero, no `-0`.
std::optional<std::int64_t> parse_plain_id(std::string_view text) noexcept;

/// Returns the relative reference of the page that follows the row with id `last_id` in the list of `filter`.
std::string next_page(storage::Filter const& filter, std::int64_t last_id);

}  // namespace deployd::routing
