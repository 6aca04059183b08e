// All queries on a PostgreSQL store that serve requests: their SQL, and how results are read.
#pragma once

#include <boost/container/static_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/left_out_rows.hpp"
#include "storage/relation_name.hpp"
#include "storage/store.hpp"

using PGresult = struct pg_result;  // as declared by libpq

namespace deployd::storage {

/// SQL text with parameters `$1`, `$2`...
struct PostgresqlStatement {
  static constexpr std::size_t never_prepared = static_cast<std::size_t>(-1);

  std::string sql;
  /// Its index in `PostgresqlQueries::prepared`.
  std::size_t number = never_prepared;
};

/// The parameters of a statement, as text; nothing for NULL.
using PostgresqlParameters = boost::container::static_vector<std::optional<std::string>, 6>;

/// The rows of a result, shared by all callers whose query was combined into it.
using PostgresqlRows = std::shared_ptr<PGresult const>;

/// The statements of one store. Immutable.
class PostgresqlQueries {
 public:
  /// `own_tables` is false if there are no API tokens.
  PostgresqlQueries(RelationNames const& relations, bool own_tables);

  /// The statements to prepare when a session is opened.
  std::span<PostgresqlStatement const> prepared() const noexcept { return prepared_; }

  /// $1: an id. The row of a deployment is `id, pattern_id, name`. In relations of another program, columns may contain
  /// anything.
  PostgresqlStatement const& deployment() const noexcept { return prepared_[0]; }
  /// $1: an array of ids.
  PostgresqlStatement const& deployments() const noexcept { return prepared_[1]; }
  /// $1: an array of hashes. Must not be used without own tables.
  PostgresqlStatement const& api_tokens() const noexcept { return prepared_.back(); }
  PostgresqlStatement const& ping() const noexcept { return prepared_[2]; }
  /// Takes the parameters of `list_parameters`. With a pattern, a result without rows means that the pattern does not
  /// exist, and a row of nulls that it has no deployments. With relations of another program, the pattern's id is a
  /// fourth column.
  PostgresqlStatement const& list(Filter const& filter) const noexcept;
  /// The same, limited to rows that are valid deployments.
  PostgresqlStatement const& sound_list(Filter const& filter) const noexcept;

  /// True if rows are read from relations of another program.
  bool foreign() const noexcept { return !relations_.own; }
  bool own_tables() const noexcept { return own_tables_; }

  /// $1: the name of a pattern. Returns its id.
  PostgresqlStatement pattern() const;
  /// Declares the cursor `deployments` for the rows of a list in ascending order, and takes its parameters. Rows that
  /// are not valid deployments are included unless rows are counted, as with a limit.
  PostgresqlStatement declare_cursor(Filter const& filter) const;
  /// Returns the ids of a list of valid rows, and takes its parameters.
  PostgresqlStatement ids(Filter const& filter) const;

 private:
  RelationNames relations_;
  bool own_tables_;
  std::vector<PostgresqlStatement> prepared_;
};

/// The bounds of a query for a list.
struct ListBounds {
  bool far;            // its first row is too far down: a cursor must find it
  bool limited;        // the filter's limit applies, not `max_rows`
  std::size_t wanted;  // number of rows to return; the query requests one more
};
ListBounds list_bounds(Filter const& filter, std::size_t max_rows) noexcept;

PostgresqlParameters list_parameters(Filter const& filter, std::uint64_t limit, std::uint64_t skip);

/// PostgreSQL texts cannot contain NUL, so nothing has a name that contains it. Returns such a name as NULL, which
/// equals nothing either.
std::optional<std::string> text_parameter(std::string const& text);

/// Returns the parameter of `PostgresqlQueries::deployments`.
std::string array_literal(std::span<std::int64_t const> ids);
/// Returns the parameter of `PostgresqlQueries::api_tokens`.
std::string array_literal(std::span<Sha256 const> hashes);

std::size_t row_count(PGresult const& rows) noexcept;
/// Returns the value of a column as a 64-bit integer, in the notation of PostgreSQL's numbers (`1`, `1.00`), or nothing
/// if it is not one.
std::optional<std::int64_t> whole_number(PGresult const& rows, std::size_t row, int column) noexcept;
bool is_deployment(PGresult const& rows, std::size_t row) noexcept;
/// Passes a row of a deployment to `sink` and returns the sink's result; nothing if the row is left out.
std::optional<bool> give_row(PGresult const& rows, std::size_t row, RowSink& sink, LeftOutRows& left_out,
                             Table table = Table::deployments);
/// True if rows of a list are missing, because the result has the maximum length but some of its rows are left out.
/// Records these rows.
bool lacks_rows(PGresult const& rows, Filter const& filter, ListBounds const& bounds, LeftOutRows& left_out);
/// Passes the rows of a list to `sink`.
Listing read_listing(PGresult const& rows, Filter const& filter, ListBounds const& bounds, RowSink& sink,
                     LeftOutRows& left_out);
/// Returns the id of the pattern from the row of `PostgresqlQueries::pattern`.
std::optional<std::int64_t> read_pattern(PGresult const& rows, LeftOutRows& left_out);
/// Returns the token with this hash from the rows of `PostgresqlQueries::api_tokens`.
std::optional<ApiToken> find_api_token(PGresult const& rows, Sha256 const& hash);

}  // namespace deployd::storage
