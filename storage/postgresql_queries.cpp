#include "storage/postgresql_queries.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>

#include "storage/error.hpp"
#include "storage/session.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using Clock = std::chrono::steady_clock;

// A session of a standby, taken for want of the primary, is given up after this: the primary may be back.
constexpr std::chrono::seconds standby_patience{5};

// A list whose first row is further down than this is left to a cursor.
constexpr std::uint64_t longest_skip = 1000;

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

std::string clamped(std::uint64_t value) {
  return std::to_string(std::min(value, static_cast<std::uint64_t>(largest)));
}

/// PostgreSQL has no NUL in texts, and libpq would end the parameter there.
bool holds_nul(std::optional<std::string> const& text) {
  return text && text->find('\0') != text->npos;
}

std::int64_t integer(PGresult const* rows, int row, int column) {
  std::int64_t value = 0;
  auto const* const text = PQgetvalue(rows, row, column);
  std::from_chars(text, text + PQgetlength(rows, row, column), value);
  return value;
}

std::string_view text(PGresult const* rows, int row, int column) {
  return {PQgetvalue(rows, row, column), static_cast<std::size_t>(PQgetlength(rows, row, column))};
}

bool give(PGresult const* rows, int row, RowSink& sink) {
  return sink.row(integer(rows, row, 0), integer(rows, row, 1), text(rows, row, 2));
}

std::string first_line(char const* message) {
  std::string line(message == nullptr ? "" : message);
  line.resize(std::min(line.find('\n'), line.size()));
  return line;
}

PostgresqlUrl with_parameter(PostgresqlUrl url, std::string const& name, std::string const& value) {
  if (url.uri.find(name + '=') != url.uri.npos) return url;  // the operator knows better
  url.uri += (url.uri.find('?') == url.uri.npos ? '?' : '&') + name + '=' + value;
  return url;
}

/// Filters become parameters $4 (the least id) and up, behind $1, the limit, and $2, the rows to skip.
void append_filter(std::string& sql, std::vector<std::optional<std::string>>& parameters, Filter const& filter) {
  auto const add = [&](std::string const& condition, std::string const& value, std::string const& type) {
    parameters.emplace_back(value);
    sql += " AND " + condition + " $" + std::to_string(parameters.size()) + "::" + type;
  };
  if (filter.id_greater_than) add("id >", std::to_string(*filter.id_greater_than), "bigint");
  if (filter.pattern_id) add("pattern_id =", std::to_string(*filter.pattern_id), "bigint");
  if (filter.name) add("name =", *filter.name, "text");
}

}  // namespace

PostgresqlQueries::PostgresqlQueries(PostgresqlSource const& source) : source_(source) {
  auto url = with_parameter(source.url, "tcp_user_timeout", std::to_string(2 * source.timeout.count()));
  try {
    session_ = open_session(with_parameter(url, "target_session_attrs", "read-write"), Access::read, source.timeout);
  } catch (Error const&) {
    session_ = open_session(url, Access::read, source.timeout);
    replace_at_ = Clock::now() + standby_patience;
  }
  PQsetnonblocking(postgresql_connection(*session_), 1);
  // The server ends what nobody waits for any more. Behind a pooler the setting would be somebody else's as well.
  if (source.url.prepare)
    (void)execute("SET statement_timeout = " + std::to_string(source.timeout.count()), {},
                  Clock::now() + source.timeout);
}

bool PostgresqlQueries::usable() const noexcept {
  return !broken_ && Clock::now() < replace_at_;
}

boost::system::error_code PostgresqlQueries::fail(PGresult const* result) {
  auto* const connection = postgresql_connection(*session_);
  auto const* const state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  sqlstate_ = state == nullptr ? "" : state;
  message_ =
      without_passwords(first_line(result == nullptr ? PQerrorMessage(connection) : PQresultErrorMessage(result)),
                        DatabaseUrl(source_.url));
  if (PQstatus(connection) != CONNECTION_OK || sqlstate_.starts_with("57P")) broken_ = true;
  // A prepared statement that is gone, or whose types have changed under it: a new session prepares it anew.
  if (sqlstate_ == "26000" || sqlstate_ == "0A000") broken_ = true;
  if (sqlstate_ == "57014") return errc::timeout;
  if (sqlstate_.starts_with("XX00")) return errc::corrupt;
  return errc::unavailable;
}

boost::system::error_code PostgresqlQueries::fail_at_deadline() {
  broken_ = true;  // its answer may still come, and would be taken for that to the next question
  message_ = "no answer in time";
  return errc::timeout;
}

bool PostgresqlQueries::wait_for_server(bool to_write, Deadline deadline) {
  while (true) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{PQsocket(postgresql_connection(*session_)), static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)),
                   0};
    int const ready = ::poll(&waiting, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

result<PostgresqlResult> PostgresqlQueries::await_result(Deadline deadline) {
  auto* const connection = postgresql_connection(*session_);
  for (int unsent = PQflush(connection); unsent != 0; unsent = PQflush(connection)) {
    if (unsent < 0) return fail(nullptr);
    if (!wait_for_server(true, deadline)) return fail_at_deadline();
    if (PQconsumeInput(connection) == 0) return fail(nullptr);
  }
  PostgresqlResult last;
  while (true) {
    while (PQisBusy(connection) != 0) {
      if (!wait_for_server(false, deadline)) return fail_at_deadline();
      if (PQconsumeInput(connection) == 0) return fail(nullptr);
    }
    PostgresqlResult next(PQgetResult(connection));
    if (!next) break;
    last = std::move(next);
  }
  if (!last) return fail(nullptr);
  auto const status = PQresultStatus(last.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return fail(last.get());
  return last;
}

result<PostgresqlResult> PostgresqlQueries::execute(std::string const& sql, Parameters const& parameters,
                                                    Deadline deadline) {
  auto* const connection = postgresql_connection(*session_);
  std::vector<char const*> values;
  for (auto const& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  auto const count = static_cast<int>(values.size());
  // What stands here without parameters is no query of which there are many: preparing it would gain nothing.
  if (!source_.url.prepare || parameters.empty()) {
    if (PQsendQueryParams(connection, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0) == 0)
      return fail(nullptr);
    return await_result(deadline);
  }
  auto known = prepared_.find(sql);
  if (known == prepared_.end()) {
    auto const name = "deployd_" + std::to_string(prepared_.size());
    if (PQsendPrepare(connection, name.c_str(), sql.c_str(), 0, nullptr) == 0) return fail(nullptr);
    auto const prepared = await_result(deadline);
    if (!prepared) return prepared.error();
    known = prepared_.emplace(sql, name).first;
  }
  if (PQsendQueryPrepared(connection, known->second.c_str(), count, values.data(), nullptr, nullptr, 0) == 0)
    return fail(nullptr);
  return await_result(deadline);
}

result<bool> PostgresqlQueries::deployment(std::int64_t id, RowSink& sink, Deadline deadline) {
  auto const rows = execute("SELECT id::bigint, pattern_id::bigint, name::text FROM " + source_.relations.deployments +
                                " WHERE id = $1::bigint",
                            {std::to_string(id)}, deadline);
  if (!rows) return rows.error();
  if (PQntuples(rows->get()) == 0) return false;
  give(rows->get(), 0, sink);
  return true;
}

result<Listing> PostgresqlQueries::list(Filter const& filter, std::size_t max_rows, RowSink& sink, Deadline deadline) {
  if (holds_nul(filter.pattern)) return Listing{.pattern_known = false, .complete = true, .more = false};
  if (holds_nul(filter.name)) {
    auto without_name = filter;
    without_name.name.reset();
    without_name.limit = 0;
    RowBuffer nothing;
    auto listing = list(without_name, 0, nothing, deadline);
    if (listing) *listing = {.pattern_known = listing->pattern_known, .complete = true, .more = false};
    return listing;
  }
  bool const far = filter.skip > longest_skip;
  bool const limited = filter.limit && *filter.limit <= max_rows;
  auto const wanted = far ? 0 : limited ? static_cast<std::size_t>(*filter.limit) : max_rows;

  // The pattern and its deployments in one statement, and so of one snapshot: a known pattern gives a row at least.
  Parameters parameters{std::to_string(wanted + 1), std::to_string(far ? 0 : filter.skip)};
  std::string select =
      "SELECT id::bigint, pattern_id::bigint, name::text FROM " + source_.relations.deployments + " WHERE true";
  append_filter(select, parameters, filter);
  if (filter.pattern) select += " AND pattern_id = p.pattern";
  select += " ORDER BY id LIMIT $1::bigint OFFSET $2::bigint";
  if (filter.pattern) {
    parameters.emplace_back(*filter.pattern);
    select = "SELECT d.* FROM (SELECT id AS pattern FROM " + source_.relations.patterns + " WHERE name = $" +
             std::to_string(parameters.size()) + "::text LIMIT 1) AS p LEFT JOIN LATERAL (" + select +
             ") AS d ON true ORDER BY d.id";
  }
  auto const rows = execute(select, parameters, deadline);
  if (!rows) return rows.error();
  int const count = PQntuples(rows->get());
  if (filter.pattern && count == 0) return Listing{.pattern_known = false, .complete = true, .more = false};
  if (far) return Listing{.pattern_known = true, .complete = false, .more = false};
  if (count == 1 && PQgetisnull(rows->get(), 0, 0) != 0)
    return Listing{.pattern_known = true, .complete = true, .more = false};
  for (int row = 0; row < count; ++row) {
    if (static_cast<std::size_t>(row) == wanted)
      return Listing{.pattern_known = true, .complete = limited, .more = limited};
    if (!give(rows->get(), row, sink)) return Listing{.pattern_known = true, .complete = false, .more = false};
  }
  return Listing{.pattern_known = true, .complete = true, .more = false};
}

result<std::optional<ApiToken>> PostgresqlQueries::api_token(Sha256 const& hash, Deadline deadline) {
  if (!source_.own_tables) return std::optional<ApiToken>();
  constexpr char digits[] = "0123456789abcdef";
  std::string literal = "\\x";
  for (auto const byte : hash) {
    literal += digits[byte >> 4];
    literal += digits[byte & 0xF];
  }
  auto const rows =
      execute("SELECT id, name, expires, revoked FROM deployd.api_tokens WHERE hash = $1::bytea", {literal}, deadline);
  if (!rows) return rows.error();
  auto const* const found = rows->get();
  if (PQntuples(found) == 0) return std::optional<ApiToken>();
  ApiToken token{.id = integer(found, 0, 0),
                 .name = std::string(text(found, 0, 1)),
                 .expires = {},
                 .revoked = PQgetisnull(found, 0, 3) == 0};
  if (PQgetisnull(found, 0, 2) == 0)
    token.expires = std::chrono::sys_seconds(std::chrono::seconds(integer(found, 0, 2)));
  return std::optional(std::move(token));
}

result<bool> PostgresqlQueries::ping(Deadline deadline) {
  auto const rows = execute("SELECT id FROM " + source_.relations.patterns + " LIMIT 1", {}, deadline);
  if (!rows) return rows.error();
  return true;
}

result<bool> PostgresqlQueries::begin_snapshot(Filter const& filter, Deadline deadline) {
  if (holds_nul(filter.pattern)) return false;
  snapshot_filter_ = filter;
  snapshot_pattern_.reset();
  auto const begun = execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {}, deadline);
  if (!begun) return begun.error();
  if (filter.pattern) {
    auto const pattern =
        execute("SELECT id::bigint FROM " + source_.relations.patterns + " WHERE name = $1::text LIMIT 1",
                {*filter.pattern}, deadline);
    if (!pattern) return pattern.error();
    if (PQntuples(pattern->get()) == 0) {
      end_snapshot(deadline);
      return false;
    }
    snapshot_pattern_ = integer(pattern->get(), 0, 0);
  }
  Parameters parameters{clamped(filter.limit.value_or(static_cast<std::uint64_t>(largest))), clamped(filter.skip)};
  auto const declared = execute("DECLARE deployments NO SCROLL CURSOR FOR " + rows_sql(filter) + " ORDER BY id LIMIT " +
                                    *parameters[0] + " OFFSET " + *parameters[1],
                                {}, deadline);
  if (!declared) return declared.error();
  return true;
}

/// A cursor is declared once a list: its values stand in the statement, quoted by libpq.
std::string PostgresqlQueries::rows_sql(Filter const& filter) const {
  auto sql = "SELECT id::bigint, pattern_id::bigint, name::text FROM " + source_.relations.deployments + " WHERE true";
  if (filter.id_greater_than) sql += " AND id > " + std::to_string(*filter.id_greater_than);
  if (filter.pattern_id) sql += " AND pattern_id = " + std::to_string(*filter.pattern_id);
  if (snapshot_pattern_) sql += " AND pattern_id = " + std::to_string(*snapshot_pattern_);
  if (holds_nul(filter.name)) return sql + " AND false";
  if (filter.name) {
    struct Free {
      void operator()(char* text) const noexcept { PQfreemem(text); }
    };
    std::unique_ptr<char, Free> const quoted(
        PQescapeLiteral(postgresql_connection(*session_), filter.name->data(), filter.name->size()));
    sql += quoted ? " AND name = " + std::string(quoted.get()) : " AND false";
  }
  return sql;
}

result<std::optional<std::int64_t>> PostgresqlQueries::last_id_before_more(Deadline deadline) {
  auto const& filter = snapshot_filter_;
  if (!filter.limit || *filter.limit == 0) return std::optional<std::int64_t>();
  auto const end = *filter.limit > static_cast<std::uint64_t>(largest) - std::min<std::uint64_t>(filter.skip, largest)
                       ? static_cast<std::uint64_t>(largest)
                       : filter.skip + *filter.limit;
  auto const rows = execute(
      "SELECT id FROM (" + rows_sql(filter) + ") AS list ORDER BY id LIMIT 2 OFFSET " + clamped(end - 1), {}, deadline);
  if (!rows) return rows.error();
  if (PQntuples(rows->get()) < 2) return std::optional<std::int64_t>();
  return std::optional(integer(rows->get(), 0, 0));
}

result<bool> PostgresqlQueries::fetch(std::size_t count, RowSink& sink, Deadline deadline) {
  auto const rows = execute("FETCH " + std::to_string(count) + " FROM deployments", {}, deadline);
  if (!rows) return rows.error();
  int const got = PQntuples(rows->get());
  for (int row = 0; row < got; ++row) give(rows->get(), row, sink);
  return static_cast<std::size_t>(got) == count;
}

void PostgresqlQueries::end_snapshot(Deadline deadline) {
  if (!execute("ROLLBACK", {}, deadline)) broken_ = true;
}

}  // namespace deployd::storage
