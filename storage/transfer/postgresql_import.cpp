#include "storage/transfer/postgresql_import.hpp"

#include <spdlog/spdlog.h>

#include <concepts>
#include <type_traits>
#include <utility>

#include "storage/error.hpp"
#include "storage/schema/migrations.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

// The number of rows that are inserted at once: enough that the cost of a statement does not matter. A batch is kept in
// memory.
constexpr std::int64_t batch_rows = 200'000;
constexpr std::size_t batch_bytes = std::size_t{32} << 20;

// The number of bytes passed to libpq at once; it keeps a copy.
constexpr std::size_t copy_piece_bytes = 256 * 1024;

// A B-tree entry has at most 2,704 bytes; the largest contains a name and two ids.
constexpr std::size_t max_name_bytes = 2'600;

// https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format": signature, flags, length of the extension.
constexpr std::string_view copy_header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::int16_t copy_columns = 7;
constexpr std::int16_t copy_trailer = -1;
constexpr std::int32_t copy_null = -1;

template <std::signed_integral Integer>
void append_big_endian(std::string& out, Integer value) {
  auto const bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (int shift = (static_cast<int>(sizeof bits) - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((bits >> shift) & 0xFF);
}

void append_column(std::string& out, std::int64_t value) {
  append_big_endian(out, std::int32_t{8});
  append_big_endian(out, value);
}

void append_column(std::string& out, std::string_view text) {
  append_big_endian(out, static_cast<std::int32_t>(text.size()));
  out += text;
}

template <typename Value>
void append_column(std::string& out, std::optional<Value> const& value) {
  if (value)
    append_column(out, *value);
  else
    append_big_endian(out, copy_null);
}

std::int64_t integer_at(PostgresqlResult const& result, int column) {
  return std::stoll(PQgetvalue(result.get(), 0, column));
}

RowPlace place_at(PostgresqlResult const& result) {
  return {static_cast<std::uint32_t>(integer_at(result, 0)), static_cast<std::uint64_t>(integer_at(result, 1))};
}

void require_short(RowPlace place, char const* kind, std::int64_t id, std::string_view name) {
  if (name.size() > max_name_bytes)
    throw BadRow(place, std::string(kind) + " " + std::to_string(id) + ": the name is longer than the " +
                            std::to_string(max_name_bytes) + " bytes that PostgreSQL can index");
}

// A row without pattern_id and pattern is a pattern. A deployment has one of them.
constexpr char const* begin_batch =
    "CREATE TEMP TABLE import_batch (row bigint, source bigint, line bigint, id bigint, pattern_id bigint, "
    "pattern text COLLATE \"C\", name text COLLATE \"C\") ON COMMIT DROP";
constexpr char const* begin_staged =
    "CREATE TEMP TABLE import_staged (row bigint, source bigint, line bigint, id bigint, pattern_id bigint, "
    "pattern text COLLATE \"C\", name text COLLATE \"C\") ON COMMIT DROP";
constexpr char const* begin_patterns =
    "CREATE TEMP TABLE import_patterns (id bigint PRIMARY KEY, name text COLLATE \"C\", row bigint, source bigint, "
    "line bigint, old_name text COLLATE \"C\") ON COMMIT DROP";
constexpr char const* begin_unknown =
    "CREATE TEMP TABLE import_unknown (pattern_id bigint PRIMARY KEY, deployment_id bigint, row bigint, "
    "source bigint, line bigint) ON COMMIT DROP";

// Holds each deployment of the import once, with its previous values, for counting changes.
constexpr char const* begin_touched =
    "CREATE TEMP TABLE import_touched (id bigint PRIMARY KEY, pattern_id bigint, name text COLLATE \"C\") "
    "ON COMMIT DROP";

// The first row of a batch whose id has another row in the batch, or in an earlier one. {rows} are the rows of one
// kind.
constexpr std::string_view first_second_row =
    "SELECT source, line, id FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY row) AS place "
    "FROM pg_temp.import_batch WHERE {rows}) AS numbered WHERE place > 1 ORDER BY row LIMIT 1";
constexpr std::string_view first_known_row =
    "SELECT source, line, id FROM pg_temp.import_batch WHERE {rows} AND id IN (SELECT id FROM pg_temp.{known}) "
    "ORDER BY row LIMIT 1";

// A pattern of the store whose name a pattern of the import takes over.
constexpr char const* delete_replaced_patterns =
    "DELETE FROM deployd.patterns p WHERE id IN (SELECT id FROM pg_temp.import_replaced) "
    "AND NOT EXISTS (SELECT FROM pg_temp.import_patterns s WHERE s.id = p.id) "
    "AND name IN (SELECT name FROM pg_temp.import_patterns)";
constexpr char const* delete_other_patterns =
    "DELETE FROM deployd.patterns p WHERE NOT EXISTS (SELECT FROM pg_temp.import_patterns s WHERE s.id = p.id)";

// In the statements below, {patterns} are the patterns that deployments may refer to: all of the store, or those of the
// import.

constexpr char const* stage_patterns =
    "INSERT INTO pg_temp.import_patterns SELECT DISTINCT ON (b.id) b.id, b.name, row, source, line, p.name "
    "FROM pg_temp.import_batch b LEFT JOIN deployd.patterns p ON p.id = b.id "
    "WHERE pattern_id IS NULL AND pattern IS NULL ORDER BY b.id, row DESC "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, row = excluded.row, source = excluded.source, "
    "line = excluded.line";
constexpr char const* take_patterns =
    "INSERT INTO deployd.patterns AS p (id, name) SELECT DISTINCT ON (id) id, name "
    "FROM pg_temp.import_batch WHERE pattern_id IS NULL AND pattern IS NULL ORDER BY id, row DESC "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE p.name <> excluded.name";

constexpr char const* note_unknown =
    "INSERT INTO pg_temp.import_unknown SELECT DISTINCT ON (pattern_id) pattern_id, id, row, source, line "
    "FROM pg_temp.import_batch b WHERE pattern_id IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM {patterns} p WHERE p.id = b.pattern_id) ORDER BY pattern_id, row "
    "ON CONFLICT (pattern_id) DO NOTHING";
constexpr char const* stage_deployments =
    "INSERT INTO pg_temp.import_staged SELECT * FROM pg_temp.import_batch "
    "WHERE pattern_id IS NOT NULL OR pattern IS NOT NULL";

constexpr char const* batch_of_deployments =
    "SELECT row, id, pattern_id, name FROM pg_temp.import_batch WHERE pattern_id IS NOT NULL";
constexpr char const* staged_deployments =
    "SELECT s.row, s.id, coalesce(s.pattern_id, p.id) AS pattern_id, s.name FROM pg_temp.import_staged s "
    "LEFT JOIN {patterns} p ON p.name = s.pattern";
constexpr char const* or_update =
    " ON CONFLICT (id) DO UPDATE SET pattern_id = excluded.pattern_id, name = excluded.name "
    "WHERE (d.pattern_id, d.name) IS DISTINCT FROM (excluded.pattern_id, excluded.name)";

// The owner of the name is a pattern that is not in the import, or one from an earlier row of it.
constexpr char const* first_taken_name =
    "SELECT s.source, s.line, s.id, p.id, s.name FROM pg_temp.import_patterns s "
    "JOIN {patterns} p ON p.name = s.name AND p.id <> s.id "
    "LEFT JOIN pg_temp.import_patterns o ON o.id = p.id WHERE o.row IS NULL OR o.row < s.row ORDER BY s.row LIMIT 1";
constexpr char const* first_unknown_pattern =
    "SELECT source, line, deployment_id, pattern_id, NULL, row FROM pg_temp.import_unknown u "
    "WHERE NOT EXISTS (SELECT FROM {patterns} p WHERE p.id = u.pattern_id) UNION ALL "
    "(SELECT source, line, id, NULL, pattern, row FROM pg_temp.import_staged s "
    "WHERE pattern IS NOT NULL AND NOT EXISTS (SELECT FROM {patterns} p WHERE p.name = s.pattern) "
    "ORDER BY row LIMIT 1) ORDER BY row LIMIT 1";

}  // namespace

PostgresqlImport::PostgresqlImport(DatabaseUrl const& url, ImportOptions const& options)
    : url_(url), options_(options), session_(open_session(url, Access::write)) {
  std::vector<Privilege> needed;
  for (auto const* const table : {"deployd.patterns", "deployd.deployments"}) {
    for (auto const* const name : {"SELECT", "INSERT", "UPDATE"}) needed.push_back({table, name});
    if (options_.replace) needed.push_back({table, "DELETE"});
  }
  require_privileges(*session_, url, needed);
  batch_ = copy_header;
}

PostgresqlImport::~PostgresqlImport() {
  transaction_.reset();
  if (!indexes_dropped_) return;
  try {
    make_missing_indexes();
  } catch (soci::soci_error const&) {
    spdlog::warn("the table deployd.deployments has no indexes until the next import");
  }
}

void PostgresqlImport::begin() {
  auto& sql = *session_;
  transaction_.emplace(sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  // The input may be slow and long, so time limits meant for queries do not suit it.
  run(sql, "SET LOCAL statement_timeout = 0");
  run(sql, "SET LOCAL idle_in_transaction_session_timeout = 0");
  run(sql, "SET LOCAL lock_timeout = '5s'");
  run(sql, "SET LOCAL work_mem = '64MB'");
  run(sql, "SET LOCAL maintenance_work_mem = '256MB'");
  run(sql, "LOCK TABLE deployd.patterns, deployd.deployments IN SHARE ROW EXCLUSIVE MODE");
  run(sql, "SET CONSTRAINTS deployd.patterns_name DEFERRED");
  for (auto const* const table : {begin_batch, begin_staged, begin_patterns, begin_unknown}) run(sql, table);
  if (options_.counts_changes()) run(sql, begin_touched);
  if (options_.replaces_patterns()) note_replaced_patterns();
}

/// Records the ids that the patterns of `ImportOptions::only_patterns` have now. Those of the import are added later.
void PostgresqlImport::note_replaced_patterns() {
  auto* const connection = postgresql_connection(*session_);
  std::string names;
  for (auto const& name : options_.only_patterns) {
    std::unique_ptr<char, decltype(&PQfreemem)> const literal(PQescapeLiteral(connection, name.data(), name.size()),
                                                              PQfreemem);
    if (!literal) throw_failure(connection, nullptr);
    names += names.empty() ? "" : ", ";
    names += literal.get();
  }
  run(*session_, "CREATE TEMP TABLE import_replaced ON COMMIT DROP AS SELECT id FROM deployd.patterns WHERE name IN (" +
                     names + ")");
}

void PostgresqlImport::drop_indexes_of_empty_table() {
  auto& sql = *session_;
  auto const may = run(sql,
                       "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') AND NOT EXISTS (SELECT FROM "
                       "deployd.deployments) FROM pg_catalog.pg_class WHERE oid = 'deployd.deployments'::regclass");
  if (std::string_view(PQgetvalue(may.get(), 0, 0)) != "t") return;
  try {
    Transaction transaction(sql, "BEGIN");
    // Readers wait for this lock, so the time must be short.
    run(sql, "SET LOCAL lock_timeout = '500ms'");
    run(sql, "LOCK TABLE deployd.deployments IN ACCESS EXCLUSIVE MODE");
    if (PQntuples(run(sql, "SELECT FROM deployd.deployments LIMIT 1").get()) > 0) return;
    for (auto const& index : postgresql_indexes_of_deployments())
      run(sql, "DROP INDEX IF EXISTS deployd." + std::string(index.name));
    transaction.commit();
    indexes_dropped_ = true;
  } catch (soci::soci_error const& failure) {
    spdlog::debug("the import updates the indexes row by row: {}", translate(failure, url_).what());
  }
}

void PostgresqlImport::make_missing_indexes() {
  for (auto const& [name, sql] : postgresql_indexes_of_deployments()) {
    auto const known = run(*session_,
                           "SELECT FROM pg_catalog.pg_class WHERE relnamespace = 'deployd'::regnamespace "
                           "AND relname = '" +
                               std::string(name) + "'");
    if (PQntuples(known.get()) == 0) run(*session_, std::string(sql));
  }
}

void PostgresqlImport::pattern(RowPlace place, std::int64_t id, std::string_view name) {
  require_short(place, "pattern", id, name);
  ++batch_patterns_;
  add(place, id, std::nullopt, std::nullopt, name);
}

void PostgresqlImport::deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  add_deployment(place, id, pattern_id, std::nullopt, name);
}

void PostgresqlImport::deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) {
  if (!staging_ && batch_deployments_ > 0) write_batch();
  staging_ = true;
  add_deployment(place, id, std::nullopt, pattern, name);
}

void PostgresqlImport::add_deployment(RowPlace place, std::int64_t id, std::optional<std::int64_t> pattern_id,
                                      std::optional<std::string_view> pattern, std::string_view name) {
  require_short(place, "deployment", id, name);
  if (batch_deployments_ > 0 && id <= last_id_) ascending_ = false;
  if (staging_ && last_staged_id_ && id <= *last_staged_id_) staged_ascending_ = false;
  if (staging_) last_staged_id_ = id;
  last_id_ = id;
  ++batch_deployments_;
  add(place, id, pattern_id, pattern, name);
}

void PostgresqlImport::add(RowPlace place, std::int64_t id, std::optional<std::int64_t> pattern_id,
                           std::optional<std::string_view> pattern, std::string_view name) {
  append_big_endian(batch_, copy_columns);
  append_column(batch_, ++row_);
  append_column(batch_, std::int64_t{place.source});
  append_column(batch_, static_cast<std::int64_t>(place.line));
  append_column(batch_, id);
  append_column(batch_, pattern_id);
  append_column(batch_, pattern);
  append_column(batch_, name);
  bool const full = batch_patterns_ + batch_deployments_ >= batch_rows || batch_.size() >= batch_bytes;
  if (!full) return;
  if (!transaction_ && !options_.dry_run) drop_indexes_of_empty_table();
  write_batch();
}

void PostgresqlImport::write_batch() {
  if (!transaction_) begin();
  if (batch_patterns_ + batch_deployments_ == 0) return;
  copy_batch();
  if (batch_patterns_ > 0) write_patterns();
  if (batch_deployments_ > 0) write_deployments();
  run(*session_, "TRUNCATE pg_temp.import_batch");
  batch_ = copy_header;
  batch_patterns_ = 0;
  batch_deployments_ = 0;
  ascending_ = true;
}

void PostgresqlImport::copy_batch() {
  append_big_endian(batch_, copy_trailer);
  run(*session_, "COPY pg_temp.import_batch FROM STDIN (FORMAT binary)");
  auto* const connection = postgresql_connection(*session_);
  for (std::size_t sent = 0; sent < batch_.size(); sent += copy_piece_bytes) {
    auto const piece = std::string_view(batch_).substr(sent, copy_piece_bytes);
    if (PQputCopyData(connection, piece.data(), static_cast<int>(piece.size())) != 1)
      throw_failure(connection, nullptr);
  }
  if (PQputCopyEnd(connection, nullptr) != 1) throw_failure(connection, nullptr);
  PostgresqlResult const result(PQgetResult(connection));
  while (PostgresqlResult const further{PQgetResult(connection)}) {
  }
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw_failure(connection, result.get());
}

void PostgresqlImport::write_patterns() {
  if (options_.refuses_second_row) {
    refuse_row("pattern", first_second_row, "");
    refuse_row("pattern", first_known_row, "import_patterns");
  }
  run(*session_, stage_patterns);
  run(*session_, take_patterns);
}

/// Throws SecondRow for the row that `query` finds.
void PostgresqlImport::refuse_row(std::string const& kind, std::string_view query, std::string_view known) {
  std::string sql(query);
  auto const replace = [&sql](std::string_view mark, std::string_view text) {
    if (auto const at = sql.find(mark); at != sql.npos) sql.replace(at, mark.size(), text);
  };
  replace("{rows}", kind == "pattern" ? "pattern_id IS NULL AND pattern IS NULL"
                                      : "(pattern_id IS NOT NULL OR pattern IS NOT NULL)");
  replace("{known}", known);
  auto const found = run(*session_, sql);
  if (PQntuples(found.get()) > 0) throw SecondRow(place_at(found), kind, integer_at(found, 2));
}

void PostgresqlImport::write_deployments() {
  if (options_.refuses_second_row) {
    if (!ascending_) refuse_row("deployment", first_second_row, "");
    refuse_row("deployment", first_known_row, "import_touched");
  }
  if (rows_written(run_about_patterns(note_unknown)) > 0 && !keys_deferred_) {
    run(*session_, "SET CONSTRAINTS deployd.deployments_pattern DEFERRED");
    keys_deferred_ = true;
  }
  if (staging_)
    run(*session_, stage_deployments);
  else
    take_deployments(batch_of_deployments, ascending_);
}

/// Of several rows with one id the last counts. Batches with ascending ids contain none.
void PostgresqlImport::take_deployments(char const* batch, bool ascending) {
  if (options_.counts_changes())
    run_about_patterns(
        "INSERT INTO pg_temp.import_touched SELECT DISTINCT ON (b.id) b.id, d.pattern_id, d.name FROM (" +
        std::string(batch) +
        ") AS b LEFT JOIN deployd.deployments d ON d.id = b.id ORDER BY b.id ON CONFLICT (id) DO NOTHING");
  run_about_patterns(std::string("INSERT INTO deployd.deployments AS d (id, pattern_id, name) SELECT ") +
                     (ascending ? "" : "DISTINCT ON (id) ") + "id, pattern_id, name FROM (" + batch + ") AS batch" +
                     (ascending ? "" : " ORDER BY id, row DESC") + or_update);
}

/// Runs a statement in which {patterns} are the patterns that deployments may refer to.
PostgresqlResult PostgresqlImport::run_about_patterns(std::string sql) {
  constexpr std::string_view mark = "{patterns}";
  auto const* const patterns = options_.replaces_all() ? "pg_temp.import_patterns" : "deployd.patterns";
  for (auto at = sql.find(mark); at != sql.npos; at = sql.find(mark, at)) sql.replace(at, mark.size(), patterns);
  return run(*session_, sql);
}

void PostgresqlImport::check() {
  write_batch();
  // Frees the names that other patterns have now.
  if (options_.replaces_patterns()) delete_others();
  if (auto const taken = run_about_patterns(first_taken_name); PQntuples(taken.get()) > 0)
    throw TakenName(place_at(taken), integer_at(taken, 2), PQgetvalue(taken.get(), 0, 4), integer_at(taken, 3));
  require_patterns_of_deployments();
  if (staging_) take_deployments(staged_deployments, staged_ascending_);
  if (options_.replaces_all()) delete_others();
  if (options_.counts_changes()) count_changes();
  run(*session_, "SET CONSTRAINTS ALL IMMEDIATE");
}

void PostgresqlImport::delete_others() {
  // Deleting a pattern searches for its deployments.
  if (indexes_dropped_) make_missing_indexes();
  run(*session_, "ANALYZE pg_temp.import_touched");
  run(*session_, "ANALYZE pg_temp.import_patterns");
  auto const remove = [this](std::string const& sql) {
    return static_cast<std::uint64_t>(rows_written(run(*session_, sql)));
  };
  changes_.deployments.deleted =
      remove(std::string("DELETE FROM deployd.deployments d "
                         "WHERE NOT EXISTS (SELECT FROM pg_temp.import_touched t WHERE t.id = d.id)") +
             (options_.replaces_all() ? ""
                                      : " AND d.pattern_id IN (SELECT id FROM pg_temp.import_replaced UNION "
                                        "SELECT id FROM pg_temp.import_patterns)"));
  changes_.patterns.deleted = remove(options_.replaces_all() ? delete_other_patterns : delete_replaced_patterns);
}

void PostgresqlImport::count_changes() {
  auto const count = [this](std::string const& sql, RowChanges& changes) {
    auto const counts = run(*session_, sql);
    changes.added = static_cast<std::uint64_t>(integer_at(counts, 0));
    changes.updated = static_cast<std::uint64_t>(integer_at(counts, 1));
    changes.unchanged = static_cast<std::uint64_t>(integer_at(counts, 2));
  };
  count(
      "SELECT count(*) FILTER (WHERE old_name IS NULL), count(*) FILTER (WHERE old_name <> name), "
      "count(*) FILTER (WHERE old_name = name) FROM pg_temp.import_patterns",
      changes_.patterns);
  count(
      "SELECT count(*) FILTER (WHERE t.pattern_id IS NULL), "
      "count(*) FILTER (WHERE (t.pattern_id, t.name) <> (d.pattern_id, d.name)), "
      "count(*) FILTER (WHERE (t.pattern_id, t.name) = (d.pattern_id, d.name)) "
      "FROM pg_temp.import_touched t JOIN deployd.deployments d ON d.id = t.id",
      changes_.deployments);
}

void PostgresqlImport::require_patterns_of_deployments() {
  if (staging_) run(*session_, "ANALYZE pg_temp.import_staged");
  auto const unknown = run_about_patterns(first_unknown_pattern);
  if (PQntuples(unknown.get()) == 0) return;
  auto const place = place_at(unknown);
  auto const id = integer_at(unknown, 2);
  if (PQgetisnull(unknown.get(), 0, 3) != 0) throw UnknownPatternName(place, id, PQgetvalue(unknown.get(), 0, 4));
  throw UnknownPattern(place, id, integer_at(unknown, 3));
}

void PostgresqlImport::build_indexes() {
  make_missing_indexes();
  run(*session_, "ANALYZE deployd.patterns, deployd.deployments");
}

void PostgresqlImport::commit() {
  transaction_->commit();
  if (std::exchange(indexes_dropped_, false)) vacuum();
}

/// Enables index-only scans of lists now instead of when the server's autovacuum runs.
void PostgresqlImport::vacuum() noexcept {
  try {
    run(*session_, "SET statement_timeout = 0");
    run(*session_, "VACUUM (TRUNCATE off) deployd.deployments");
  } catch (soci::soci_error const& failure) {
    spdlog::debug("deployd.deployments is left to autovacuum: {}", translate(failure, url_).what());
  }
}

}  // namespace deployd::storage
