#include "storage/sqlite/queries.hpp"

#include <sys/stat.h>

#include <limits>
#include <new>

#include "storage/error.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;

constexpr std::array statements{
    "SELECT id FROM patterns WHERE name = ?1",
    "SELECT id, pattern_id, name FROM deployments WHERE id = ?1",
    "SELECT id, name, expires, revoked FROM api_tokens WHERE hash = ?1",
    "SELECT id FROM patterns LIMIT 1",
    "PRAGMA data_version",
    "BEGIN",
    "ROLLBACK",
};
constexpr std::size_t pattern_by_name = 0;
constexpr std::size_t deployment_by_id = 1;
constexpr std::size_t token_by_hash = 2;
constexpr std::size_t trivial = 3;
constexpr std::size_t data_version_pragma = 4;
constexpr std::size_t begin_transaction = 5;
constexpr std::size_t roll_back = 6;

// The number of invalid rows that a short list may skip. With more, it is read through a cursor as well.
constexpr std::size_t most_left_out = 1000;

// A list whose first row is further down than this is read through a cursor: skipping so many ids takes a millisecond.
constexpr std::uint64_t longest_skip = 8192;

/// Returns the number of the statement for a range.
std::size_t number_of(RowRange const& range, bool only_ids) noexcept {
  return (range.pattern_id ? 1U : 0U) | (range.name ? 2U : 0U) | (only_ids ? 4U : 0U) |
         (range.table == Table::patterns ? 8U : 0U);
}

/// Describes the row of a statement whose first or second column is not an integer.
LeftOutRow left_out_row(BadColumn column, SqliteStatement const& row) {
  if (column != BadColumn::deployment_pattern_id) return {.column = column, .value = row.optional_text(1)};
  return {.column = column, .value = row.optional_text(2), .id = row.integer(1)};
}

}  // namespace

std::optional<FileIdentity> identify_file(std::string const& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

std::string range_sql(RowRange const& range, bool only_ids) {
  // For a list of patterns, the pattern of a row is the row itself.
  bool const patterns = range.table == Table::patterns;
  std::string sql = patterns ? "SELECT id, id" : "SELECT id, pattern_id";
  if (!only_ids) sql += ", name";
  sql += patterns ? " FROM patterns WHERE " : " FROM deployments WHERE ";
  if (range.pattern_id) sql += "pattern_id = ?2 AND ";
  if (range.name) sql += "name = ?3 AND ";
  return sql + "id >= ?1 ORDER BY id";
}

std::optional<RowRange> range_of(Filter const& filter, std::optional<std::int64_t> pattern_id) noexcept {
  RowRange range;
  range.table = filter.table;
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

bool give(SqliteStatement const& row, RowSink& sink) {
  return sink.row(row.integer(1), row.integer(2), row.optional_text(3));
}

bool is_sound(Table table, SqliteStatement const& row, LeftOutRows& left_out) {
  if (holds_deployment(row)) [[likely]]
    return true;
  auto const of_id = table == Table::patterns ? BadColumn::pattern_id : BadColumn::deployment_id;
  left_out.add(left_out_row(row.whole_number(1) ? BadColumn::deployment_pattern_id : of_id, row));
  return false;
}

SqliteQueries::SqliteQueries(SqliteUrl const& url, int cache_kib, LeftOutRows& left_out)
    : url_(url), left_out_(left_out) {
  // Read before opening: if the file is replaced in between, the session is replaced needlessly but never wrongly kept.
  if (auto const file = identify_file(url.path)) file_ = *file;
  session_ = open_session(url_, Access::read, std::chrono::milliseconds(0));
  *session_ << "PRAGMA cache_size = " << -cache_kib;
  if (ask_data_version()) wal_index_ = SqliteWalIndex::of(*session_);
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
  while (true) {
    int const stepped = row.step();
    if (stepped == SQLITE_DONE) return false;
    if (stepped != SQLITE_ROW) return failure_of(stepped);
    if (!is_sound(Table::deployments, row, left_out_)) continue;  // the id may occur twice
    give(row, sink);
    return true;
  }
}

result<Listing> SqliteQueries::list(Filter const& filter, std::size_t max_rows, RowSink& sink) {
  // A statement positioned at a row holds the snapshot of the session, so the pattern and its rows are from one time.
  std::optional<ResetAtEnd> snapshot;
  std::optional<std::int64_t> pattern_id;
  if (filter.pattern) {
    auto& pattern = statement(pattern_by_name);
    snapshot.emplace(pattern);
    int const stepped = step_to_pattern(pattern, *filter.pattern);
    if (stepped == SQLITE_DONE) return Listing{.pattern_known = false, .complete = true, .more = false};
    if (stepped != SQLITE_ROW) return failure_of(stepped);
    pattern_id = pattern.integer(1);
  }
  auto range = range_of(filter, pattern_id);
  if (!range) return Listing{.pattern_known = true, .complete = true, .more = false};
  constexpr Listing too_long{.pattern_known = true, .complete = false, .more = false};
  if (filter.skip > longest_skip) return too_long;
  std::size_t left_out = 0;
  // The same applies to this statement: the rows are those after the counted ids.
  std::optional<ResetAtEnd> counted;
  if (filter.skip > 0) {
    auto& ids = start_ids(*range);
    counted.emplace(ids);
    for (std::uint64_t number = 0; number <= filter.skip; ++number) {
      auto const stepped = step_to_row(filter.table, ids, left_out);
      if (!stepped) return too_long;
      if (*stepped == SQLITE_DONE) return Listing{.pattern_known = true, .complete = true, .more = false};
      if (*stepped != SQLITE_ROW) return failure_of(*stepped);
    }
    range->least_id = ids.integer(1);
  }

  bool const limited = filter.limit && *filter.limit <= max_rows;
  std::size_t const wanted = limited ? static_cast<std::size_t>(*filter.limit) : max_rows;
  auto& rows = start_rows(*range);
  ResetAtEnd const reset(rows);
  for (std::size_t number = 0;; ++number) {
    auto const stepped = step_to_row(filter.table, rows, left_out);
    if (!stepped) return too_long;
    if (*stepped == SQLITE_DONE) return Listing{.pattern_known = true, .complete = true, .more = false};
    if (*stepped != SQLITE_ROW) return failure_of(*stepped);
    if (number == wanted) return Listing{.pattern_known = true, .complete = limited, .more = limited};
    if (!give(rows, sink)) return too_long;
  }
}

/// Steps to the next row that is a valid deployment. Returns the result of the last step, or nothing if too many
/// invalid rows precede it.
std::optional<int> SqliteQueries::step_to_row(Table table, SqliteStatement& rows, std::size_t& left_out) {
  while (true) {
    int const stepped = rows.step();
    if (stepped != SQLITE_ROW || is_sound(table, rows, left_out_)) return stepped;
    if (++left_out > most_left_out) return std::nullopt;
  }
}

/// Steps to the pattern with this name. Returns the result of the last step.
int SqliteQueries::step_to_pattern(SqliteStatement& pattern, std::string_view name) {
  pattern.bind(1, name);
  int stepped = pattern.step();
  for (; stepped == SQLITE_ROW && !pattern.whole_number(1); stepped = pattern.step())
    left_out_.add(left_out_row(BadColumn::pattern_id, pattern));
  return stepped;
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
  statement(roll_back);  // needed by `end_snapshot`, which must not allocate
  auto& begin = statement(begin_transaction);
  int const begun = begin.step();
  begin.reset();
  if (begun != SQLITE_DONE) return failure_of(begun);
  // BEGIN alone takes no snapshot, the first read does.
  auto& row = statement(filter.pattern ? pattern_by_name : trivial);
  ResetAtEnd const reset(row);
  int const stepped = filter.pattern ? step_to_pattern(row, *filter.pattern) : row.step();
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
  for (auto const& range : ranges_)
    if (range) range->reset();
  if (sqlite_api::sqlite3_get_autocommit(handle) == 0) {
    statements_[roll_back]->step();
    statements_[roll_back]->reset();
  }
  sqlite_api::sqlite3_db_release_memory(handle);
  return sqlite_api::sqlite3_get_autocommit(handle) != 0;
}

SqliteStatement& SqliteQueries::start(RowRange const& range, bool only_ids) {
  auto& slot = ranges_[number_of(range, only_ids)];
  if (!slot) slot = std::make_unique<SqliteStatement>(*session_, range_sql(range, only_ids));
  slot->bind(1, range.least_id);
  if (range.pattern_id) slot->bind(2, *range.pattern_id);
  if (range.name) slot->bind(3, *range.name);
  return *slot;
}

}  // namespace deployd::storage
