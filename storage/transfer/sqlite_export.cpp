#include "storage/transfer/sqlite_export.hpp"

#include <variant>

#include "storage/schema/column_types.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/transaction.hpp"
#include "storage/transfer/export_writer.hpp"

namespace deployd::storage {

void export_sqlite(DatabaseUrl const& url, ExportWriter& writer, LeftOutRows& left_out) {
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  Transaction const snapshot(sql, "BEGIN");
  require_columns(sql, std::get<SqliteUrl>(url));
  SqliteStatement patterns(sql, "SELECT id, id, name FROM patterns ORDER BY id");
  SqliteStatement deployments(sql, "SELECT id, pattern_id, name FROM deployments ORDER BY id");
  while (writer.has_patterns() && patterns.next())
    if (is_sound(Table::patterns, patterns, left_out)) writer.pattern(patterns.integer(1), patterns.optional_text(3));
  writer.begin_deployments();
  while (writer.has_deployments() && deployments.next())
    if (is_sound(Table::deployments, deployments, left_out))
      writer.deployment(deployments.integer(1), deployments.integer(2), deployments.optional_text(3));
}

}  // namespace deployd::storage
