#include "storage/export.hpp"

#include <soci/soci.h>

#include "storage/error.hpp"
#include "storage/export_writer.hpp"
#include "storage/postgresql_export.hpp"
#include "storage/session.hpp"
#include "storage/sqlite_export.hpp"

namespace deployd::storage {

void export_all(DatabaseUrl const& url, Relations const& relations, ExportFormat format, std::ostream& out) {
  require_current_schema(url, relations);
  try {
    ExportWriter writer(format, out);
    if (std::holds_alternative<SqliteUrl>(url))
      export_sqlite(url, writer);
    else
      export_postgresql(url, relations, writer);
    writer.finish();
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
