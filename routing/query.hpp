// The query of a request, decoded strictly into what a route takes.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/filter.hpp"

namespace deployd::routing {

/// Why a query was refused: a message that names the parameter.
struct QueryError {
  std::string message;
};

/// Either a value or why there is none.
template <typename T>
using Parsed = boost::system::result<T, QueryError>;

[[noreturn]] void throw_exception_from_error(QueryError const& error, boost::source_location const& where);

/// Reads what `GET /api/v1/deployments` is asked for from `name=value&...` (WHATWG URL §5.1, but strict): `+` is a
/// space, empty pieces are passed over; an unknown name, a name given twice, a value that its parameter does not take,
/// a bad escape and bytes that are not UTF-8 are errors. Ends at the first error: however many parameters a query has,
/// only as many are looked at as there are names, and one more.
Parsed<storage::Filter> read_filter(std::string_view query);

/// For a route without parameters: an error that names the first one.
Parsed<void> expect_no_parameters(std::string_view query);

/// The value of a decimal integer, optionally with a minus sign, and of nothing else (no plus sign, no white space).
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

/// The id that `text` is the plain decimal form of: no leading zero, no `-0`.
std::optional<std::int64_t> parse_plain_id(std::string_view text) noexcept;

/// The relative reference of the page behind the row with id `last_id` of the list that `filter` gives.
std::string next_page(storage::Filter const& filter, std::int64_t last_id);

}  // namespace deployd::routing
