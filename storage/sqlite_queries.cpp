#include "storage/sqlite_queries.hpp"

#include <sys/stat.h>

#include <limits>
#include <new>

#include "storage/error.hpp"
#include "storage/session.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;

// In the statements of a range ?1 is the least id, ?2 the limit, ?3 the pattern's id and ?4 the name. Each pair of
// conditions has an index whose last column is the id, so that every range is read in the order of the id as it is.
constexpr std::size_t with_pattern_id = 1;
constexpr std::size_t with_name = 2;
constexpr std::size_t ids_only = 4;

constexpr std::array statements{
    "SELECT id, pattern_id, name FROM deployments WHERE id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id, pattern_id, name FROM deployments WHERE pattern_id = ?3 AND id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id, pattern_id, name FROM deployments WHERE name = ?4 AND id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id, pattern_id, name FROM deployments WHERE pattern_id = ?3 AND name = ?4 AND id >= ?1 ORDER BY id "
    "LIMIT ?2",
    "SELECT id FROM deployments WHERE id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id FROM deployments WHERE pattern_id = ?3 AND id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id FROM deployments WHERE name = ?4 AND id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id FROM deployments WHERE pattern_id = ?3 AND name = ?4 AND id >= ?1 ORDER BY id LIMIT ?2",
    "SELECT id FROM patterns WHERE name = ?1",
    "SELECT id, pattern_id, name FROM deployments WHERE id = ?1",
    "SELECT id, name, expires, revoked FROM api_tokens WHERE hash = ?1",
    "SELECT id FROM patterns LIMIT 1",
    "PRAGMA data_version",
};
constexpr std::size_t pattern_by_name = 8;
constexpr std::size_t deployment_by_id = 9;
constexpr std::size_t token_by_hash = 10;
constexpr std::size_t trivial = 11;
constexpr std::size_t data_version_pragma = 12;

// A list whose first row is further down than this is left to a cursor.
constexpr std::uint64_t longest_skip = 1000;

std::size_t variant_of(RowRange const& range) noexcept {
  return (range.pattern_id ? with_pattern_id : 0) | (range.name ? with_name : 0);
}

bool give(SqliteStatement const& statement, RowSink& sink) {
  return sink.row(statement.integer(1), statement.integer(2), statement.text(3));
}

}  // namespace

std::optional<FileIdentity> identify_file(std::string const& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

std::optional<RowRange> range_of(Filter const& filter, std::optional<std::int64_t> pattern_id) noexcept {
  RowRange range;
  range.pattern_id = filter.pattern_id;
  if (filter.pattern) {
    if (filter.pattern_id && filter.pattern_id != pattern_id) return std::nullopt;
    range.pattern_id = pattern_id;
  }
  if (filter.name) range.name = *filter.name;
  if (filter.id_greater_than) {
    if (*filter.id_greater_than == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    range.least_id = *filter.id_greater_than + 1;
  }
  return range;
}

boost::system::error_code failure_of(int step_result) noexcept {
  switch (step_result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::corrupt;
    default: return errc::unavailable;
  }
}

SqliteQueries::SqliteQueries(SqliteUrl const& url, int cache_kib) : url_(url) {
  // Before opening: should the file be replaced in between, the session is replaced needlessly but never kept wrongly.
  if (auto const file = identify_file(url.path)) file_ = *file;
  session_ = open_session(url_, Access::read, std::chrono::milliseconds(0));
  *session_ << "PRAGMA cache_size = " << -cache_kib;
  if (ask_data_version()) wal_index_ = SqliteWalIndex::of(sqlite_handle(*session_));
}

std::string SqliteQueries::message() const {
  return sqlite_api::sqlite3_errmsg(sqlite_handle(*session_));
}

SqliteStatement& SqliteQueries::statement(std::size_t which) {
  auto& slot = statements_[which];
  if (!slot) slot = std::make_unique<SqliteStatement>(*session_, statements[which]);
  return *slot;
}

std::optional<std::uint32_t> SqliteQueries::data_version() noexcept {
  if (!wal_index_) return ask_data_version();
  auto const header = wal_index_->header();
  if (known_version_ && header == known_header_) return known_version_;
  known_version_ = ask_data_version();
  known_header_ = header;
  return known_version_;
}

std::optional<std::uint32_t> SqliteQueries::ask_data_version() noexcept try {
  auto& pragma = statement(data_version_pragma);
  ResetAtEnd const reset(pragma);
  if (pragma.step() != SQLITE_ROW) return std::nullopt;
  return static_cast<std::uint32_t>(pragma.integer(1));
} catch (std::exception const&) {
  return std::nullopt;
}

result<bool> SqliteQueries::deployment(std::int64_t id, RowSink& sink) {
  auto& row = statement(deployment_by_id);
  row.bind(1, id);
  ResetAtEnd const reset(row);
  int const stepped = row.step();
  if (stepped == SQLITE_DONE) return false;
  if (stepped != SQLITE_ROW) return failure_of(stepped);
  give(row, sink);
  return true;
}

result<Listing> SqliteQueries::list(Filter const& filter, std::size_t max_rows, RowSink& sink) {
  // A statement at a row holds the snapshot of the session, so the pattern and its rows are of one moment.
  std::optional<ResetAtEnd> snapshot;
  std::optional<std::int64_t> pattern_id;
  if (filter.pattern) {
    auto& pattern = statement(pattern_by_name);
    pattern.bind(1, *filter.pattern);
    snapshot.emplace(pattern);
    int const stepped = pattern.step();
    if (stepped == SQLITE_DONE) return Listing{.pattern_known = false, .complete = true, .more = false};
    if (stepped != SQLITE_ROW) return failure_of(stepped);
    pattern_id = pattern.integer(1);
  }
  auto const range = range_of(filter, pattern_id);
  if (!range) return Listing{.pattern_known = true, .complete = true, .more = false};
  if (filter.skip > longest_skip) return Listing{.pattern_known = true, .complete = false, .more = false};

  bool const limited = filter.limit && *filter.limit <= max_rows;
  std::size_t const wanted = limited ? static_cast<std::size_t>(*filter.limit) : max_rows;
  auto& rows = start(variant_of(*range), *range, static_cast<std::int64_t>(filter.skip + wanted + 1));
  ResetAtEnd const reset(rows);
  for (std::uint64_t number = 0;; ++number) {
    int const stepped = rows.step();
    if (stepped == SQLITE_DONE) return Listing{.pattern_known = true, .complete = true, .more = false};
    if (stepped != SQLITE_ROW) return failure_of(stepped);
    if (number == filter.skip + wanted) return Listing{.pattern_known = true, .complete = limited, .more = limited};
    if (number < filter.skip) continue;
    if (!give(rows, sink)) return Listing{.pattern_known = true, .complete = false, .more = false};
  }
}

result<std::optional<ApiToken>> SqliteQueries::api_token(Sha256 const& hash) {
  auto& row = statement(token_by_hash);
  row.bind_blob(1, hash.data(), hash.size());
  ResetAtEnd const reset(row);
  int const stepped = row.step();
  if (stepped == SQLITE_DONE) return std::optional<ApiToken>();
  if (stepped != SQLITE_ROW) return failure_of(stepped);
  ApiToken token{.id = row.integer(1), .name = std::string(row.text(2)), .expires = {}, .revoked = !row.null(4)};
  if (!row.null(3)) token.expires = std::chrono::sys_seconds(std::chrono::seconds(row.integer(3)));
  return std::optional(std::move(token));
}

result<bool> SqliteQueries::ping() {
  auto& row = statement(trivial);
  ResetAtEnd const reset(row);
  int const stepped = row.step();
  if (stepped != SQLITE_DONE && stepped != SQLITE_ROW) return failure_of(stepped);
  return true;
}

result<std::optional<std::int64_t>> SqliteQueries::begin_snapshot(Filter const& filter) {
  int const begun = sqlite_api::sqlite3_exec(sqlite_handle(*session_), "BEGIN", nullptr, nullptr, nullptr);
  if (begun != SQLITE_OK) return failure_of(begun);
  // BEGIN alone takes no snapshot: the first read does.
  auto& row = statement(filter.pattern ? pattern_by_name : trivial);
  if (filter.pattern) row.bind(1, *filter.pattern);
  ResetAtEnd const reset(row);
  int const stepped = row.step();
  if (stepped != SQLITE_DONE && stepped != SQLITE_ROW) {
    auto const failure = failure_of(stepped);
    row.reset();
    end_snapshot();
    return failure;
  }
  if (!filter.pattern || stepped == SQLITE_DONE) return std::optional<std::int64_t>();
  return std::optional(row.integer(1));
}

bool SqliteQueries::end_snapshot() noexcept {
  auto* const handle = sqlite_handle(*session_);
  for (auto const& statement : statements_)
    if (statement) statement->reset();
  if (sqlite_api::sqlite3_get_autocommit(handle) == 0)
    sqlite_api::sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite_api::sqlite3_db_release_memory(handle);
  return sqlite_api::sqlite3_get_autocommit(handle) != 0;
}

SqliteStatement& SqliteQueries::start(std::size_t which, RowRange const& range, std::int64_t limit) {
  auto& rows = statement(which);
  rows.bind(1, range.least_id);
  rows.bind(2, limit);
  if (range.pattern_id) rows.bind(3, *range.pattern_id);
  if (range.name) rows.bind(4, *range.name);
  return rows;
}

SqliteStatement& SqliteQueries::start_rows(RowRange const& range) {
  return start(variant_of(range), range, -1);
}

SqliteStatement& SqliteQueries::start_ids(RowRange const& range) {
  return start(variant_of(range) | ids_only, range, -1);
}

std::string SqliteQueries::explain(RowRange const& range, bool only_ids) {
  auto const which = variant_of(range) | (only_ids ? ids_only : 0);
  SqliteStatement plan(*session_, std::string("EXPLAIN QUERY PLAN ") + statements[which]);
  std::string text;
  while (plan.step() == SQLITE_ROW) text.append(plan.text(4)).append("\n");
  return text;
}

}  // namespace deployd::storage
