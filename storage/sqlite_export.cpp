#include "storage/sqlite_export.hpp"

#include "storage/export_writer.hpp"
#include "storage/session.hpp"
#include "storage/sqlite_statement.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

/// False at the end of the rows.
bool next_row(soci::session& sql, SqliteStatement& statement) {
  int const stepped = statement.step();
  if (stepped == SQLITE_ROW) return true;
  if (stepped == SQLITE_DONE) return false;
  throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(sqlite_handle(sql)), stepped);
}

}  // namespace

void export_sqlite(DatabaseUrl const& url, ExportWriter& writer) {
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  Transaction const snapshot(sql, "BEGIN");
  SqliteStatement patterns(sql, "SELECT id, name FROM patterns ORDER BY id");
  SqliteStatement deployments(sql, "SELECT id, pattern_id, name FROM deployments ORDER BY id");
  while (next_row(sql, patterns)) writer.pattern(patterns.integer(1), patterns.text(2));
  writer.begin_deployments();
  while (next_row(sql, deployments))
    writer.deployment(deployments.integer(1), deployments.integer(2), deployments.text(3));
}

}  // namespace deployd::storage
