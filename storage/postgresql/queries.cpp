#include "storage/postgresql/queries.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

namespace deployd::storage {
namespace {

// A list whose first row is further down than this is read through a cursor.
constexpr std::uint64_t longest_skip = 8192;

constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

constexpr std::size_t first_list = 3;
constexpr std::size_t lists = 16;
constexpr std::size_t first_pattern_list = first_list + lists;
constexpr std::size_t pattern_lists = 4;
// The same lists of relations of another program, limited to valid rows.
constexpr std::size_t sound_lists_after = lists + pattern_lists;

// The filters of a list, as bits of its statement's number. Lists of patterns have the first two only.
constexpr std::size_t with_id = 1;
constexpr std::size_t with_name = 2;
constexpr std::size_t with_pattern_id = 4;
constexpr std::size_t with_pattern = 8;

std::string_view text(PGresult const& rows, std::size_t row, int column) noexcept {
  auto const index = static_cast<int>(row);
  return {PQgetvalue(&rows, index, column), static_cast<std::size_t>(PQgetlength(&rows, index, column))};
}

bool is_null(PGresult const& rows, std::size_t row, int column) noexcept {
  return PQgetisnull(&rows, static_cast<int>(row), column) != 0;
}

std::optional<std::string_view> optional_text(PGresult const& rows, std::size_t row, int column) noexcept {
  if (is_null(rows, row, column)) return std::nullopt;
  return text(rows, row, column);
}

std::size_t number_of_list(Filter const& filter) noexcept {
  auto const filters = (filter.id_greater_than ? with_id : 0) | (filter.name ? with_name : 0) |
                       (filter.pattern_id ? with_pattern_id : 0) | (filter.pattern ? with_pattern : 0);
  return filter.table == Table::patterns ? first_pattern_list + filters % pattern_lists : first_list + filters;
}

/// The same quoted name, such as `"a"."b"`, without colons, which begin a parameter's name in SOCI.
std::string without_colons(std::string const& relation) {
  if (relation.find(':') == relation.npos) return relation;
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < relation.size(); ++at) {
    char const c = relation[at];
    if (inside && relation.compare(at, 2, "\"\"") == 0) {
      out += "\"\"";
      ++at;
    } else if (c == '"') {
      out += inside ? "\"" : "U&\"";
      inside = !inside;
    } else {
      out += c == ':' ? "\\003A" : c == '\\' ? "\\\\" : std::string(1, c);
    }
  }
  return out;
}

/// Columns of another program are selected unchanged: casting a value that is not a bigint would fail or change the
/// number.
std::string rows_from(RelationNames const& relations, Table table) {
  // For a list of patterns, the pattern of a row is the row itself.
  auto const* const pattern = table == Table::patterns ? "id" : "pattern_id";
  auto const cast = std::string(relations.own ? "::bigint" : "");
  return "SELECT id" + cast + ", " + pattern + cast + (table == Table::patterns ? " AS pattern_id" : "") +
         ", name::text FROM " + (table == Table::patterns ? relations.patterns : relations.deployments) + " WHERE ";
}

/// Returns SQL for the id of the pattern whose name is the SQL expression `name`. If several patterns have the name,
/// selects one with a valid id.
std::string patterns_named(RelationNames const& relations, std::string const& as, std::string const& name) {
  if (relations.own) return "SELECT id" + as + " FROM " + relations.patterns + " WHERE name = " + name + " LIMIT 1";
  return "SELECT id" + as + " FROM " + relations.patterns + " WHERE name::text = " + name + " ORDER BY " +
         is_whole_number("id") + " IS NOT TRUE LIMIT 1";
}

/// The SQL expressions that the columns of a list's rows must equal.
struct Keys {
  std::optional<std::string> after_id;
  std::optional<std::string> pattern_id;
  std::optional<std::string> name;
};

std::string equalities(Keys const& keys, std::string const& name) {
  std::string sql = "true";
  if (keys.after_id) sql += " AND id > " + *keys.after_id;
  if (keys.pattern_id) sql += " AND pattern_id = " + *keys.pattern_id;
  if (keys.name) sql += " AND " + name + " = " + *keys.name;
  return sql + " ORDER BY id";
}

/// Returns the same condition as one range of an index, between two rows and in its order. With equalities PostgreSQL
/// has a choice: if there are few patterns it reads the primary key in order and discards rows that do not belong to
/// the list, which is the whole table for a pattern with hardly any deployments.
std::string range(Keys const& keys) {
  if (!keys.pattern_id && !keys.name) return equalities(keys, "name");
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

/// Returns conditions and order of a list. All rows of deployd's own tables are valid because of constraints. Names of
/// another program may have a type without an equality operator for text.
std::string rows_of(RelationNames const& relations, Table table, Keys const& keys, bool sound) {
  if (relations.own) return table == Table::patterns ? equalities(keys, "name") : range(keys);
  std::string condition;
  if (sound) condition = is_whole_number("id") + " AND ";
  if (sound && table == Table::deployments) condition += is_whole_number("pattern_id") + " AND ";
  return condition + equalities(keys, "name::text");
}

/// The parameters are $1, the limit, and $2, the rows to skip, then the filters in the order of this function.
std::string list_sql(RelationNames const& relations, Table table, std::size_t filters, bool sound) {
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
  auto select = rows_from(relations, table) + also + rows_of(relations, table, keys, sound) +
                " LIMIT $1::bigint OFFSET $2::bigint";
  if (!(filters & with_pattern)) return select;
  // The pattern and its deployments are read in one statement, and thus from one snapshot: a known pattern returns at
  // least one row.
  return std::string("SELECT d.*") + (relations.own ? "" : ", p.pattern") + " FROM (" +
         patterns_named(relations, " AS pattern", next("text")) + ") AS p LEFT JOIN LATERAL (" + select +
         ") AS d ON true ORDER BY d.id";
}

}  // namespace

PostgresqlQueries::PostgresqlQueries(RelationNames const& relations, bool own_tables)
    : relations_{without_colons(relations.patterns), without_colons(relations.deployments), relations.own},
      own_tables_(own_tables) {
  auto const add = [this](std::string sql) { prepared_.push_back({std::move(sql), prepared_.size()}); };
  add(rows_from(relations_, Table::deployments) + "id = $1::bigint");
  add(rows_from(relations_, Table::deployments) + "id = ANY($1::bigint[])");
  add("SELECT id FROM " + relations_.patterns + " LIMIT 1");
  for (bool const sound : {false, true}) {
    if (sound && !foreign()) break;
    for (std::size_t filters = 0; filters < lists; ++filters)
      add(list_sql(relations_, Table::deployments, filters, sound));
    for (std::size_t number = 0; number < pattern_lists; ++number)
      add(list_sql(relations_, Table::patterns, number, sound));
  }
  if (!own_tables_) return;
  add("SELECT id, name, expires, revoked, encode(hash, 'hex') FROM deployd.api_tokens WHERE hash = ANY($1::bytea[])");
}

PostgresqlStatement const& PostgresqlQueries::list(Filter const& filter) const noexcept {
  return prepared_[number_of_list(filter)];
}

PostgresqlStatement const& PostgresqlQueries::sound_list(Filter const& filter) const noexcept {
  return prepared_[number_of_list(filter) + (foreign() ? sound_lists_after : 0)];
}

PostgresqlStatement PostgresqlQueries::pattern() const {
  return {.sql = patterns_named(relations_, "", "$1::text")};
}

PostgresqlStatement PostgresqlQueries::declare_cursor(Filter const& filter) const {
  bool const counted = filter.limit || filter.skip > 0;
  return {.sql = "DECLARE deployments NO SCROLL CURSOR FOR " + (counted ? sound_list(filter) : list(filter)).sql};
}

PostgresqlStatement PostgresqlQueries::ids(Filter const& filter) const {
  return {.sql = "SELECT id FROM (" + sound_list(filter).sql + ") AS listed"};
}

ListBounds list_bounds(Filter const& filter, std::size_t max_rows) noexcept {
  bool const far = filter.skip > longest_skip;
  bool const limited = filter.limit && *filter.limit <= max_rows;
  return {far, limited, far ? 0 : limited ? static_cast<std::size_t>(*filter.limit) : max_rows};
}

std::optional<std::string> text_parameter(std::string const& text) {
  if (text.find('\0') != text.npos) return std::nullopt;
  return text;
}

PostgresqlParameters list_parameters(Filter const& filter, std::uint64_t limit, std::uint64_t skip) {
  PostgresqlParameters parameters;
  for (auto const number : {limit, skip}) parameters.push_back(std::to_string(std::min(number, largest)));
  if (filter.id_greater_than) parameters.push_back(std::to_string(*filter.id_greater_than));
  if (filter.pattern_id) parameters.push_back(std::to_string(*filter.pattern_id));
  if (filter.name) parameters.push_back(text_parameter(*filter.name));
  if (filter.pattern) parameters.push_back(text_parameter(*filter.pattern));
  return parameters;
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

std::optional<std::int64_t> whole_number(PGresult const& rows, std::size_t row, int column) noexcept {
  auto const digits = text(rows, row, column);  // empty for NULL
  auto const* const end = digits.data() + digits.size();
  std::int64_t value = 0;
  auto [rest, failure] = std::from_chars(digits.data(), end, value);
  if (failure != std::errc()) return std::nullopt;
  if (rest != end && *rest == '.') rest = std::find_if(rest + 1, end, [](char c) { return c != '0'; });
  if (rest != end) return std::nullopt;
  return value;
}

namespace {

/// Returns why a row is left out, or nothing if it is a deployment.
std::optional<LeftOutRow> fault_of(PGresult const& rows, std::size_t row, Table table) noexcept {
  auto const id = whole_number(rows, row, 0);
  if (!id)
    return LeftOutRow{.column = table == Table::patterns ? BadColumn::pattern_id : BadColumn::deployment_id,
                      .value = optional_text(rows, row, 0)};
  if (whole_number(rows, row, 1)) return std::nullopt;
  return LeftOutRow{.column = BadColumn::deployment_pattern_id, .value = optional_text(rows, row, 1), .id = id};
}

/// True if the only row of a list by pattern name says that the pattern has no deployments.
bool says_empty(PGresult const& rows, Filter const& filter) noexcept {
  return filter.pattern && is_null(rows, 0, 0) && is_null(rows, 0, 1);
}

/// Returns the id of a pattern from a column of the first row.
std::optional<std::int64_t> pattern_at(PGresult const& rows, int column, LeftOutRows& left_out) {
  auto const id = whole_number(rows, 0, column);
  if (!id) left_out.add({.column = BadColumn::pattern_id, .value = optional_text(rows, 0, column)});
  return id;
}

/// True if the rows of a list by pattern name show that the pattern exists.
bool knows_pattern(PGresult const& rows, LeftOutRows& left_out) {
  constexpr int pattern_column = 3;
  if (row_count(rows) == 0) return false;
  return PQnfields(&rows) <= pattern_column || pattern_at(rows, pattern_column, left_out);
}

}  // namespace

bool is_deployment(PGresult const& rows, std::size_t row) noexcept {
  return whole_number(rows, row, 0) && whole_number(rows, row, 1);
}

std::optional<bool> give_row(PGresult const& rows, std::size_t row, RowSink& sink, LeftOutRows& left_out, Table table) {
  auto const id = whole_number(rows, row, 0);
  auto const pattern_id = whole_number(rows, row, 1);
  if (!id || !pattern_id) [[unlikely]] {
    left_out.add(*fault_of(rows, row, table));
    return std::nullopt;
  }
  return sink.row(*id, *pattern_id, optional_text(rows, row, 2));
}

bool lacks_rows(PGresult const& rows, Filter const& filter, ListBounds const& bounds, LeftOutRows& left_out) {
  auto const count = row_count(rows);
  if (bounds.far || count <= bounds.wanted || says_empty(rows, filter)) return false;
  bool any = false;
  for (std::size_t row = 0; row < count; ++row) {
    auto const fault = fault_of(rows, row, filter.table);
    if (fault) left_out.add(*fault);
    any = any || fault;
  }
  return any;
}

Listing read_listing(PGresult const& rows, Filter const& filter, ListBounds const& bounds, RowSink& sink,
                     LeftOutRows& left_out) {
  auto const count = row_count(rows);
  if (filter.pattern && !knows_pattern(rows, left_out))
    return {.pattern_known = false, .complete = true, .more = false};
  if (bounds.far) return {.pattern_known = true, .complete = false, .more = false};
  if (says_empty(rows, filter)) return {.pattern_known = true, .complete = true, .more = false};
  for (std::size_t row = 0; row < count; ++row) {
    if (row == bounds.wanted) return {.pattern_known = true, .complete = bounds.limited, .more = bounds.limited};
    auto const goes_on = give_row(rows, row, sink, left_out, filter.table);
    if (goes_on && !*goes_on) return {.pattern_known = true, .complete = false, .more = false};
  }
  return {.pattern_known = true, .complete = true, .more = false};
}

std::optional<std::int64_t> read_pattern(PGresult const& rows, LeftOutRows& left_out) {
  return row_count(rows) == 0 ? std::nullopt : pattern_at(rows, 0, left_out);
}

std::optional<ApiToken> find_api_token(PGresult const& rows, Sha256 const& hash) {
  auto const wanted = hex(hash);
  std::size_t row = 0;
  while (row < row_count(rows) && text(rows, row, 4) != wanted) ++row;
  if (row == row_count(rows)) return std::nullopt;
  ApiToken token{.id = whole_number(rows, row, 0).value(),
                 .name = std::string(text(rows, row, 1)),
                 .expires = {},
                 .revoked = !is_null(rows, row, 3)};
  if (auto const expires = whole_number(rows, row, 2))
    token.expires = std::chrono::sys_seconds(std::chrono::seconds(*expires));
  return token;
}

}  // namespace deployd::storage
