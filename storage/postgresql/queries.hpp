// Every question that is put to a PostgreSQL store while it serves: its SQL and how its answer is read.
#pragma once

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/left_out_rows.hpp"
#include "storage/relation_name.hpp"
#include "storage/store.hpp"

using PGresult = struct pg_result;  // as libpq declares it

namespace deployd::storage {

/// SQL text with parameters `$1`, `$2`...
struct PostgresqlStatement {
  static constexpr std::size_t never_prepared = static_cast<std::size_t>(-1);

  std::string sql;
  /// Its number among those that a session prepares when it first runs them.
  std::size_t number = never_prepared;
};

/// The values of a statement's parameters, as text.
using PostgresqlParameters = boost::container::static_vector<std::string, 6>;

/// The rows that a statement gave; shared by the questions that it answered.
using PostgresqlRows = std::shared_ptr<PGresult const>;

/// The statements of one store, by what they ask. Immutable.
class PostgresqlQueries {
 public:
  /// `own_tables` is false when there are no API tokens.
  PostgresqlQueries(RelationNames relations, bool own_tables);

  static constexpr std::size_t prepared_statements = 36;

  /// $1: an id. A row of a deployment is `id, pattern_id, name`; with relations of another program, columns may hold
  /// anything.
  PostgresqlStatement const& deployment() const noexcept { return statements_[0]; }
  /// $1: an array of ids.
  PostgresqlStatement const& deployments() const noexcept { return statements_[1]; }
  /// $1: an array of hashes. Not to be asked without own tables.
  PostgresqlStatement const& api_tokens() const noexcept { return statements_[2]; }
  PostgresqlStatement const& ping() const noexcept { return statements_[3]; }
  /// The parameters of `list_parameters`. With a pattern, no row at all says that there is no such pattern, and a row
  /// of nulls that it has no deployments; with relations of another program the pattern's id is a fourth column.
  PostgresqlStatement const& list(Filter const& filter) const noexcept;
  /// The same, of those rows only that can be deployments.
  PostgresqlStatement const& sound_list(Filter const& filter) const noexcept;

  /// True if rows are read from relations of another program.
  bool foreign() const noexcept { return !relations_.own; }
  bool own_tables() const noexcept { return own_tables_; }

  /// $1: the name of a pattern. Gives its id.
  PostgresqlStatement pattern() const;
  /// The rows of a long list in ascending order, those that cannot be deployments among them unless they are counted,
  /// as with a limit; `quoted_name` is the filter's name as an SQL literal, if it has one.
  PostgresqlStatement declare_cursor(Filter const& filter, std::optional<std::int64_t> pattern,
                                     std::string const& quoted_name) const;
  /// Up to two rows with the id of the last row of the list, and of one behind it. `filter.limit` must be above zero.
  PostgresqlStatement around_limit(Filter const& filter, std::optional<std::int64_t> pattern,
                                   std::string const& quoted_name) const;

 private:
  std::string literal_rows(Filter const& filter, std::optional<std::int64_t> pattern, std::string const& quoted_name,
                           bool sound) const;

  RelationNames relations_;
  bool own_tables_;
  std::array<PostgresqlStatement, prepared_statements> statements_;
};

/// How a list of at most so many rows is asked for.
struct ListBounds {
  bool far;            // its first row is too far down: a cursor has to look for it
  bool limited;        // the filter's limit decides, and not `max_rows`
  std::size_t wanted;  // rows to be given; one more is asked for
};
ListBounds list_bounds(Filter const& filter, std::size_t max_rows) noexcept;

PostgresqlParameters list_parameters(Filter const& filter, ListBounds const& bounds);

/// PostgreSQL has no NUL in texts: nothing is named by one that holds it.
bool holds_nul(std::optional<std::string> const& text) noexcept;

/// The parameter of `PostgresqlQueries::deployments`.
std::string array_literal(std::span<std::int64_t const> ids);
/// The parameter of `PostgresqlQueries::api_tokens`.
std::string array_literal(std::span<Sha256 const> hashes);

std::size_t row_count(PGresult const& rows) noexcept;
std::int64_t integer(PGresult const& rows, std::size_t row, int column) noexcept;
/// The value of a column as an integer of 64 bits, however it is written (`1.00`); nothing when it is none.
std::optional<std::int64_t> whole_number(PGresult const& rows, std::size_t row, int column) noexcept;
bool is_deployment(PGresult const& rows, std::size_t row) noexcept;
/// Gives a row of a deployment to `sink`, and returns what it says; nothing when the row is left out.
std::optional<bool> give_row(PGresult const& rows, std::size_t row, RowSink& sink, LeftOutRows& left_out);
/// True if rows of a list are missing, since it ends at what was asked for and some of it is left out, which is told.
bool lacks_rows(PGresult const& rows, Filter const& filter, ListBounds const& bounds, LeftOutRows& left_out);
/// Gives the rows of a list to `sink`.
Listing read_listing(PGresult const& rows, Filter const& filter, ListBounds const& bounds, RowSink& sink,
                     LeftOutRows& left_out);
/// The id of the pattern, which is what a row of `PostgresqlQueries::pattern` holds.
std::optional<std::int64_t> read_pattern(PGresult const& rows, LeftOutRows& left_out);
/// The token with this hash among the rows of `PostgresqlQueries::api_tokens`.
std::optional<ApiToken> find_api_token(PGresult const& rows, Sha256 const& hash);

}  // namespace deployd::storage
