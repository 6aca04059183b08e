#include "storage/postgresql_queries.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace deployd::storage {
namespace {

// A list whose first row is further down than this is left to a cursor.
constexpr std::uint64_t longest_skip = 1000;

constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

constexpr std::size_t first_list = 4;

// Which filters a list has, as bits of its statement's number.
constexpr std::size_t with_id = 1;
constexpr std::size_t with_pattern_id = 2;
constexpr std::size_t with_name = 4;
constexpr std::size_t with_pattern = 8;

std::string literal(std::int64_t value) {
  return "'" + std::to_string(value) + "'::bigint";
}

std::string clamped(std::uint64_t value) {
  return std::to_string(std::min(value, largest));
}

std::string_view text(PGresult const& rows, std::size_t row, int column) noexcept {
  auto const index = static_cast<int>(row);
  return {PQgetvalue(&rows, index, column), static_cast<std::size_t>(PQgetlength(&rows, index, column))};
}

bool is_null(PGresult const& rows, std::size_t row, int column) noexcept {
  return PQgetisnull(&rows, static_cast<int>(row), column) != 0;
}

std::string hex(Sha256 const& hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (auto const byte : hash) {
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
  }
  return text;
}

std::string deployments_from(RelationNames const& relations) {
  return "SELECT id::bigint, pattern_id::bigint, name::text FROM " + relations.deployments + " WHERE ";
}

/// The rows of a list: SQL expressions of what their columns must be.
struct Keys {
  std::optional<std::string> after_id;
  std::optional<std::string> pattern_id;
  std::optional<std::string> name;
};

std::string equalities(Keys const& keys) {
  std::string sql = "true";
  if (keys.after_id) sql += " AND id > " + *keys.after_id;
  if (keys.pattern_id) sql += " AND pattern_id = " + *keys.pattern_id;
  if (keys.name) sql += " AND name = " + *keys.name;
  return sql + " ORDER BY id";
}

/// The same as one range of an index, between two rows and in its order. As equalities they leave PostgreSQL a choice:
/// where patterns are few it reads the primary key in order and throws away what does not belong to the list, which is
/// the whole table for a pattern with hardly any deployments.
std::string range(Keys const& keys) {
  if (!keys.pattern_id && !keys.name) return equalities(keys);
  std::string columns;
  std::string values;
  for (auto const& [column, value] : {std::pair("pattern_id", &keys.pattern_id), std::pair("name", &keys.name)}) {
    if (!*value) continue;
    if (!columns.empty()) columns += ", ", values += ", ";
    columns += column;
    values += **value;
  }
  auto const first = keys.after_id ? " > (" + values + ", " + *keys.after_id + ")"
                                   : " >= (" + values + ", '-9223372036854775808'::bigint)";
  return "(" + columns + ", id)" + first + " AND (" + columns + ") <= (" + values + ") ORDER BY " + columns + ", id";
}

/// Conditions and order of a list.
std::string rows_of(RelationNames const& relations, Keys const& keys) {
  return relations.own ? range(keys) : equalities(keys);
}

/// The parameters are $1, the limit, and $2, the rows to skip, then the filters in the order of their bits.
std::string list_sql(RelationNames const& relations, std::size_t filters) {
  int parameters = 2;
  auto const next = [&](std::string const& type) { return "$" + std::to_string(++parameters) + "::" + type; };
  Keys keys;
  if (filters & with_id) keys.after_id = next("bigint");
  if (filters & with_pattern_id) keys.pattern_id = next("bigint");
  if (filters & with_name) keys.name = next("text");
  std::string also;
  if (filters & with_pattern) {
    if (keys.pattern_id) also = "p.pattern = " + *keys.pattern_id + " AND ";
    keys.pattern_id = "p.pattern";
  }
  auto select = deployments_from(relations) + also + rows_of(relations, keys) + " LIMIT $1::bigint OFFSET $2::bigint";
  if (!(filters & with_pattern)) return select;
  // The pattern and its deployments in one statement, and so of one snapshot: a known pattern gives a row at least.
  return "SELECT d.* FROM (SELECT id AS pattern FROM " + relations.patterns + " WHERE name = " + next("text") +
         " LIMIT 1) AS p LEFT JOIN LATERAL (" + select + ") AS d ON true ORDER BY d.id";
}

}  // namespace

PostgresqlQueries::PostgresqlQueries(RelationNames relations, bool own_tables)
    : relations_(std::move(relations)), own_tables_(own_tables) {
  statements_[0].sql = deployments_from(relations_) + "id = $1::bigint";
  statements_[1].sql = deployments_from(relations_) + "id = ANY($1::bigint[])";
  statements_[2].sql =
      "SELECT id, name, expires, revoked, encode(hash, 'hex') FROM deployd.api_tokens WHERE hash = ANY($1::bytea[])";
  statements_[3].sql = "SELECT id FROM " + relations_.patterns + " LIMIT 1";
  for (std::size_t filters = 0; first_list + filters < prepared_statements; ++filters)
    statements_[first_list + filters].sql = list_sql(relations_, filters);
  for (std::size_t number = 0; number < prepared_statements; ++number) statements_[number].number = number;
}

PostgresqlStatement const& PostgresqlQueries::list(Filter const& filter) const noexcept {
  auto const filters = (filter.id_greater_than ? with_id : 0) | (filter.pattern_id ? with_pattern_id : 0) |
                       (filter.name ? with_name : 0) | (filter.pattern ? with_pattern : 0);
  return statements_[first_list + filters];
}

PostgresqlStatement PostgresqlQueries::pattern() const {
  return {.sql = "SELECT id::bigint FROM " + relations_.patterns + " WHERE name = $1::text LIMIT 1"};
}

/// A cursor is declared once a list: its values stand in the statement.
std::string PostgresqlQueries::literal_rows(Filter const& filter, std::optional<std::int64_t> pattern,
                                            std::string const& quoted_name) const {
  Keys keys;
  if (filter.id_greater_than) keys.after_id = literal(*filter.id_greater_than);
  if (filter.pattern_id) keys.pattern_id = literal(*filter.pattern_id);
  if (filter.name) keys.name = quoted_name;
  std::string also;
  if (pattern) {
    if (keys.pattern_id) also = literal(*pattern) + " = " + *keys.pattern_id + " AND ";
    keys.pattern_id = literal(*pattern);
  }
  return also + rows_of(relations_, keys);
}

PostgresqlStatement PostgresqlQueries::declare_cursor(Filter const& filter, std::optional<std::int64_t> pattern,
                                                      std::string const& quoted_name) const {
  return {.sql = "DECLARE deployments NO SCROLL CURSOR FOR " + deployments_from(relations_) +
                 literal_rows(filter, pattern, quoted_name) + " LIMIT " + clamped(filter.limit.value_or(largest)) +
                 " OFFSET " + clamped(filter.skip)};
}

PostgresqlStatement PostgresqlQueries::around_limit(Filter const& filter, std::optional<std::int64_t> pattern,
                                                    std::string const& quoted_name) const {
  auto const limit = std::min(*filter.limit, largest);
  auto const end = limit > largest - std::min(filter.skip, largest) ? largest : filter.skip + limit;
  return {.sql = "SELECT id::bigint FROM " + relations_.deployments + " WHERE " +
                 literal_rows(filter, pattern, quoted_name) + " LIMIT 2 OFFSET " + clamped(end - 1)};
}

ListBounds list_bounds(Filter const& filter, std::size_t max_rows) noexcept {
  bool const far = filter.skip > longest_skip;
  bool const limited = filter.limit && *filter.limit <= max_rows;
  return {far, limited, far ? 0 : limited ? static_cast<std::size_t>(*filter.limit) : max_rows};
}

PostgresqlParameters list_parameters(Filter const& filter, ListBounds const& bounds) {
  PostgresqlParameters parameters;
  parameters.push_back(std::to_string(bounds.wanted + 1));
  parameters.push_back(std::to_string(bounds.far ? 0 : filter.skip));
  if (filter.id_greater_than) parameters.push_back(std::to_string(*filter.id_greater_than));
  if (filter.pattern_id) parameters.push_back(std::to_string(*filter.pattern_id));
  if (filter.name) parameters.push_back(*filter.name);
  if (filter.pattern) parameters.push_back(*filter.pattern);
  return parameters;
}

bool holds_nul(std::optional<std::string> const& text) noexcept {
  return text && text->find('\0') != text->npos;
}

std::string array_literal(std::span<std::int64_t const> ids) {
  std::string literal = "{";
  for (auto const id : ids) {
    if (literal.size() > 1) literal += ',';
    std::array<char, 20> digits;
    literal.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), id).ptr);
  }
  return literal += '}';
}

std::string array_literal(std::span<Sha256 const> hashes) {
  std::string literal = "{";
  for (auto const& hash : hashes) {
    if (literal.size() > 1) literal += ',';
    literal += "\"\\\\x" + hex(hash) + '"';
  }
  return literal += '}';
}

std::size_t row_count(PGresult const& rows) noexcept {
  return static_cast<std::size_t>(PQntuples(&rows));
}

std::int64_t integer(PGresult const& rows, std::size_t row, int column) noexcept {
  std::int64_t value = 0;
  auto const digits = text(rows, row, column);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool give_row(PGresult const& rows, std::size_t row, RowSink& sink) {
  return sink.row(integer(rows, row, 0), integer(rows, row, 1), text(rows, row, 2));
}

Listing read_listing(PGresult const& rows, Filter const& filter, ListBounds const& bounds, RowSink& sink) {
  auto const count = row_count(rows);
  if (filter.pattern && count == 0) return {.pattern_known = false, .complete = true, .more = false};
  if (bounds.far) return {.pattern_known = true, .complete = false, .more = false};
  if (count == 1 && is_null(rows, 0, 0)) return {.pattern_known = true, .complete = true, .more = false};
  for (std::size_t row = 0; row < count; ++row) {
    if (row == bounds.wanted) return {.pattern_known = true, .complete = bounds.limited, .more = bounds.limited};
    if (!give_row(rows, row, sink)) return {.pattern_known = true, .complete = false, .more = false};
  }
  return {.pattern_known = true, .complete = true, .more = false};
}

std::optional<ApiToken> find_api_token(PGresult const& rows, Sha256 const& hash) {
  auto const wanted = hex(hash);
  std::size_t row = 0;
  while (row < row_count(rows) && text(rows, row, 4) != wanted) ++row;
  if (row == row_count(rows)) return std::nullopt;
  ApiToken token{.id = integer(rows, row, 0),
                 .name = std::string(text(rows, row, 1)),
                 .expires = {},
                 .revoked = !is_null(rows, row, 3)};
  if (!is_null(rows, row, 2)) token.expires = std::chrono::sys_seconds(std::chrono::seconds(integer(rows, row, 2)));
  return token;
}

}  // namespace deployd::storage
