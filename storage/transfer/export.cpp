#include "storage/transfer/export.hpp"

#include <soci/soci.h>
#include <spdlog/spdlog.h>

#include <string>

#include "storage/left_out_rows.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/column_types.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

/// Returns the query for all rows of a table: id, pattern_id (for a pattern its own id), name.
std::string all_rows(Table table, std::string const& from, std::string const& name) {
  auto const* const pattern = table == Table::patterns ? "id" : "pattern_id";
  return std::string("SELECT id, ") + pattern + ", " + name + " FROM " + from + " ORDER BY 1";
}

/// Calls `write_rows` for each table of the export.
template <typename WriteRows>
void write_tables(ExportWriter& writer, WriteRows const& write_rows) {
  if (writer.has_patterns()) write_rows(Table::patterns);
  writer.begin_deployments();
  if (writer.has_deployments()) write_rows(Table::deployments);
}

void export_sqlite(DatabaseUrl const& url, ExportWriter& writer, LeftOutRows& left_out) {
  auto const session = open_session(url, Access::read);
  Transaction const snapshot(*session, "BEGIN");
  require_columns(*session, std::get<SqliteUrl>(url));
  write_tables(writer, [&](Table table) {
    SqliteStatement rows(*session, all_rows(table, table == Table::patterns ? "patterns" : "deployments", "name"));
    while (rows.next())
      if (is_sound(table, rows, left_out)) give(rows, writer);
  });
}

/// Calls `take_row` with each row of the result as it arrives. Neither collects the rows here nor needs a cursor on the
/// server.
template <typename TakeRow>
void read_rows(soci::session& sql, std::string const& query, TakeRow const& take_row) {
  auto* const connection = postgresql_connection(sql);
  if (PQsendQuery(connection, query.c_str()) == 0 || PQsetSingleRowMode(connection) == 0)
    throw_failure(connection, nullptr);
  while (PostgresqlResult const result{PQgetResult(connection)}) {
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_SINGLE_TUPLE)
      take_row(*result);
    else if (status != PGRES_TUPLES_OK)
      throw_failure(connection, result.get());
  }
}

void export_postgresql(DatabaseUrl const& url, Relations const& relations, ExportWriter& writer,
                       LeftOutRows& left_out) {
  auto const names = relation_names(relations);
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  // Ended by closing the session: a rollback in the middle of a result would have to read it to its end first.
  run(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Time limits meant for queries do not suit an export, whose reader may be slow.
  run(sql, "SET LOCAL statement_timeout = 0");
  require_privileges(sql, url, {{names.patterns, "SELECT"}, {names.deployments, "SELECT"}});
  write_tables(writer, [&](Table table) {
    // Ids of another program are selected unchanged: casting a value that is not a bigint would fail or change the
    // number.
    auto const query = all_rows(table, table == Table::patterns ? names.patterns : names.deployments, "name::text");
    read_rows(sql, query, [&](PGresult const& row) { give_row(row, 0, writer, left_out, table); });
  });
}

void tell_of(LeftOutRows const& left_out) {
  auto const tell = [](std::uint64_t rows, std::string const& table) {
    if (rows > 0) spdlog::warn("{}: {} {} left out of the export", table, rows, rows == 1 ? "row is" : "rows are");
  };
  tell(left_out.count(BadColumn::pattern_id), left_out.tables().patterns);
  tell(left_out.count(BadColumn::deployment_id) + left_out.count(BadColumn::deployment_pattern_id),
       left_out.tables().deployments);
}

}  // namespace

void export_all(DatabaseUrl const& url, Relations const& relations, ExportFormat format, ExportTables tables,
                std::ostream& out) {
  require_current_schema(url, relations);
  translating(url, [&] {
    auto const names = table_names(url, relations);
    LeftOutRows left_out(names);
    ExportWriter writer(format, tables, names, out);
    if (std::holds_alternative<SqliteUrl>(url))
      export_sqlite(url, writer, left_out);
    else
      export_postgresql(url, relations, writer, left_out);
    writer.finish();
    tell_of(left_out);
  });
}

}  // namespace deployd::storage
