#include "storage/transfer/open_import.hpp"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "storage/error.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/open_sqlite.hpp"
#include "storage/transfer/postgresql_import.hpp"
#include "storage/transfer/sqlite_import.hpp"

namespace deployd::storage {

/// A SQLite store in a new directory below TMPDIR, which is removed on destruction.
class TemporaryStore {
 public:
  /// Throws `Error` with `unavailable` if the directory cannot be created.
  TemporaryStore() {
    std::error_code failure;
    auto pattern = (std::filesystem::temp_directory_path(failure) / "deployd-XXXXXX").string();
    if (failure || ::mkdtemp(pattern.data()) == nullptr)
      throw Error(errc::unavailable, pattern + ": no directory can be made for the dry run; set TMPDIR");
    directory_ = pattern;
  }
  ~TemporaryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  TemporaryStore(TemporaryStore const&) = delete;
  TemporaryStore& operator=(TemporaryStore const&) = delete;

  SqliteUrl url() const { return {(directory_ / "store.db").string()}; }

 private:
  std::filesystem::path directory_;
};

namespace {

std::unique_ptr<ImportTarget> begin_import(DatabaseUrl const& url, ImportOptions const& options) {
  if (std::holds_alternative<SqliteUrl>(url)) return std::make_unique<SqliteImport>(url, options);
  return std::make_unique<PostgresqlImport>(url, options);
}

/// Returns false if there is no store yet, or an empty one. Throws `Error` for any other reason why nothing can be
/// imported without an upgrade of the schema.
bool has_schema(DatabaseUrl const& url, Relations const& relations) {
  try {
    require_current_schema(url, relations);
    return true;
  } catch (Error const& error) {
    if (error.code() != errc::missing) throw;
    return false;
  }
}

}  // namespace

void require_own_tables(Relations const& relations) {
  if (relations.foreign())
    throw Error(errc::bad_input,
                "nothing can be imported into the relations of --patterns-relation and --deployments-relation: deployd "
                "only reads them");
}

OpenImport open_import(DatabaseUrl const& url, Relations const& relations, ImportOptions const& options) {
  OpenImport opened;
  if (options.dry_run && !has_schema(url, relations)) {
    if (auto const* const sqlite = std::get_if<SqliteUrl>(&url)) require_creatable(*sqlite);
    opened.temporary = std::make_shared<TemporaryStore const>();
  }
  DatabaseUrl const store = opened.temporary ? opened.temporary->url() : url;
  if (!options.dry_run || opened.temporary) migrate(store, relations);
  opened.target = begin_import(store, options);
  return opened;
}

}  // namespace deployd::storage
