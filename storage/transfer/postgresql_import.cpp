#include "storage/transfer/postgresql_import.hpp"

#include <spdlog/spdlog.h>

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

#include "storage/error.hpp"
#include "storage/schema/migrations.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

// From this number of rows on it is faster to rebuild the indexes of an empty table.
constexpr std::int64_t least_rows_for_dropping = 200'000;

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

}  // namespace

PostgresqlImport::PostgresqlImport(DatabaseUrl const& url, ImportOptions options)
    : ImportTarget(url, std::move(options)), url_(url), unsent_(copy_header) {
  auto& sql = *session_;
  std::vector<Privilege> needed;
  for (auto const* const table : {"deployd.patterns", "deployd.deployments"}) {
    for (auto const* const name : {"SELECT", "INSERT", "UPDATE"}) needed.push_back({table, name});
    if (options_.replace) needed.push_back({table, "DELETE"});
  }
  require_privileges(sql, url, needed);
  transaction_.emplace(sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  // The input may be slow and long, so time limits meant for queries do not suit it.
  execute("SET LOCAL statement_timeout = 0");
  execute("SET LOCAL idle_in_transaction_session_timeout = 0");
  execute("SET LOCAL lock_timeout = '5s'");
  execute("SET LOCAL work_mem = '64MB'");
  execute("SET LOCAL maintenance_work_mem = '256MB'");
  execute("SET LOCAL search_path = deployd");
  execute("SET CONSTRAINTS patterns_name DEFERRED");
  // Patterns are deleted before their deployments. Elsewhere each key is checked at once, without a list of them.
  if (options_.replace) execute("SET CONSTRAINTS deployments_pattern DEFERRED");
  execute(
      "CREATE TEMP TABLE import_rows (row bigint, source bigint, line bigint, id bigint, pattern_id bigint, "
      "pattern text COLLATE \"C\", name text COLLATE \"C\")");
  execute("COPY import_rows FROM STDIN (FORMAT binary)");
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

void PostgresqlImport::stage(std::int64_t number, ImportRow const& row) {
  if (row.name.size() > max_name_bytes)
    throw BadRow(row.place, std::string(row.is_pattern() ? "pattern " : "deployment ") + std::to_string(row.id) +
                                ": the name is longer than the " + std::to_string(max_name_bytes) +
                                " bytes that PostgreSQL can index");
  append_big_endian(unsent_, copy_columns);
  append_column(unsent_, number);
  append_column(unsent_, std::int64_t{row.place.source});
  append_column(unsent_, static_cast<std::int64_t>(row.place.line));
  append_column(unsent_, row.id);
  append_column(unsent_, row.pattern_id);
  append_column(unsent_, row.pattern);
  append_column(unsent_, row.name);
  if (unsent_.size() >= copy_piece_bytes) send_rows();
}

void PostgresqlImport::send_rows() {
  auto* const connection = postgresql_connection(*session_);
  if (PQputCopyData(connection, unsent_.data(), static_cast<int>(unsent_.size())) != 1)
    throw_failure(connection, nullptr);
  unsent_.clear();
}

void PostgresqlImport::end_rows() {
  append_big_endian(unsent_, copy_trailer);
  send_rows();
  auto* const connection = postgresql_connection(*session_);
  if (PQputCopyEnd(connection, nullptr) != 1) throw_failure(connection, nullptr);
  PostgresqlResult const result(PQgetResult(connection));
  while (PostgresqlResult const further{PQgetResult(connection)}) {
  }
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw_failure(connection, result.get());
  execute("ANALYZE import_rows");
  if (rows_ >= least_rows_for_dropping && !options_.dry_run) drop_indexes_of_empty_table();
  execute("LOCK TABLE patterns, deployments IN SHARE ROW EXCLUSIVE MODE");
}

std::uint64_t PostgresqlImport::execute(std::string const& sql) {
  return static_cast<std::uint64_t>(rows_written(run(*session_, sql)));
}

/// The uniqueness of names is checked at the end of the transaction.
void PostgresqlImport::release_names() {
  execute("UPDATE patterns p SET name = s.name FROM import_patterns s WHERE s.id = p.id AND s.name <> p.name");
}

/// On a session of its own. Must be called before the transaction of the import has locked the table.
void PostgresqlImport::drop_indexes_of_empty_table() {
  try {
    auto const session = open_session(url_, Access::write);
    auto& sql = *session;
    auto const may = run(sql,
                         "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') AND NOT EXISTS (SELECT FROM "
                         "deployd.deployments) FROM pg_catalog.pg_class WHERE oid = 'deployd.deployments'::regclass");
    if (std::string_view(PQgetvalue(may.get(), 0, 0)) != "t") return;
    Transaction transaction(sql, "BEGIN");
    // Readers wait for this lock, so the time must be short.
    sql << "SET LOCAL lock_timeout = '500ms'";
    sql << "LOCK TABLE deployd.deployments IN ACCESS EXCLUSIVE MODE";
    if (PQntuples(run(sql, "SELECT FROM deployd.deployments LIMIT 1").get()) > 0) return;
    for (auto const& index : postgresql_indexes_of_deployments())
      sql << "DROP INDEX IF EXISTS deployd." << std::string(index.name);
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

void PostgresqlImport::write() {
  // Deleted patterns are searched for in the table, which is still empty if it has no index.
  if (indexes_dropped_) execute("SET CONSTRAINTS ALL IMMEDIATE");
  write_deployments();
  execute("SET CONSTRAINTS ALL IMMEDIATE");
  make_missing_indexes();
  execute("ANALYZE patterns, deployments");
}

void PostgresqlImport::commit() {
  // They would outlive the transaction in a session that a pooler gives to others.
  execute("DROP TABLE IF EXISTS import_rows, import_patterns, import_replaced");
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
