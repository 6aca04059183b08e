#include "storage/transfer/export.hpp"

#include <soci/soci.h>
#include <spdlog/spdlog.h>

#include "storage/error.hpp"
#include "storage/left_out_rows.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/table_names.hpp"
#include "storage/transfer/export_writer.hpp"
#include "storage/transfer/postgresql_export.hpp"
#include "storage/transfer/sqlite_export.hpp"

namespace deployd::storage {
namespace {

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
