#include "storage/transfer/backup.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/new_file.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"

namespace deployd::storage {
namespace {

/// Copies all pages in one step, so that they are from one snapshot and no writer makes the copy start again.
void copy_pages(soci::session& from, soci::session& to) {
  using namespace sqlite_api;
  auto* const target = sqlite_handle(to);
  auto* const backup = sqlite3_backup_init(target, "main", sqlite_handle(from), "main");
  if (backup == nullptr) throw soci::sqlite3_soci_error(sqlite3_errmsg(target), sqlite3_errcode(target));
  sqlite3_backup_step(backup, -1);
  if (auto const result = sqlite3_backup_finish(backup); result != SQLITE_OK)
    throw soci::sqlite3_soci_error(sqlite3_errmsg(target), result);
}

}  // namespace

std::uintmax_t back_up(SqliteUrl const& url, std::filesystem::path const& file) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(file, ignored)))
    throw std::system_error(EEXIST, std::generic_category(), file.string());
  require_some_schema(url);
  base::NewFile copy(file.string());
  try {
    auto const from = open_session(url, Access::read);
    auto const to = open_session(SqliteUrl{copy.temporary_path()}, Access::write);
    // The copy is discarded if anything fails before it is complete, and synced once afterwards.
    *to << "PRAGMA journal_mode = OFF";
    *to << "PRAGMA synchronous = OFF";
    copy_pages(*from, *to);
  } catch (soci::soci_error const& failure) {
    auto const error = translate(failure, url);
    throw Error(error.code(), std::string(error.what()) + " (while copying it to " + file.string() + ")");
  }
  copy.name_on_disk();
  return fs::file_size(file);
}

}  // namespace deployd::storage
