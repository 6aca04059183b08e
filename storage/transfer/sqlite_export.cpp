#include "storage/transfer/sqlite_export.hpp"

#include <optional>
#include <string_view>
#include <variant>

#include "storage/left_out_rows.hpp"
#include "storage/schema/column_types.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/transaction.hpp"
#include "storage/transfer/export_writer.hpp"

namespace deployd::storage {
namespace {

/// Steps to the next row. Returns false at the end.
bool next_row(soci::session& sql, SqliteStatement& statement) {
  int const stepped = statement.step();
  if (stepped == SQLITE_ROW) return true;
  if (stepped == SQLITE_DONE) return false;
  throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(sqlite_handle(sql)), stepped);
}

/// True if a column contains an id. Otherwise the row is recorded as left out.
bool is_id(SqliteStatement const& row, int column, BadColumn bad, LeftOutRows& left_out) {
  if (row.whole_number(column)) [[likely]]
    return true;
  LeftOutRow told{.column = bad, .value = row.text(column)};
  if (row.null(column)) told.value.reset();
  if (column > 1) told.id = row.integer(1);
  left_out.add(told);
  return false;
}

std::optional<std::string_view> name_in(SqliteStatement const& row, int column) {
  if (row.null(column)) return std::nullopt;
  return row.text(column);
}

}  // namespace

void export_sqlite(DatabaseUrl const& url, ExportWriter& writer, LeftOutRows& left_out) {
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  Transaction const snapshot(sql, "BEGIN");
  require_columns(sql, std::get<SqliteUrl>(url));
  SqliteStatement patterns(sql, "SELECT id, name FROM patterns ORDER BY id");
  SqliteStatement deployments(sql, "SELECT id, pattern_id, name FROM deployments ORDER BY id");
  while (writer.has_patterns() && next_row(sql, patterns)) {
    if (!is_id(patterns, 1, BadColumn::pattern_id, left_out)) continue;
    writer.pattern(patterns.integer(1), name_in(patterns, 2));
  }
  writer.begin_deployments();
  while (writer.has_deployments() && next_row(sql, deployments)) {
    if (!is_id(deployments, 1, BadColumn::deployment_id, left_out)) continue;
    if (!is_id(deployments, 2, BadColumn::deployment_pattern_id, left_out)) continue;
    writer.deployment(deployments.integer(1), deployments.integer(2), name_in(deployments, 3));
  }
}

}  // namespace deployd::storage
