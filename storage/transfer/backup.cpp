#include "storage/transfer/backup.hpp"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"

namespace deployd::storage {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(fs::path const& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Flushes a file or directory to the disk.
bool sync_to_disk(fs::path const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool const synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

/// A file beside the final one. It is removed with the object unless it was renamed to its final name.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(fs::path const& file) : file_(file) {
    auto pattern = file.string() + ".unfinished-XXXXXX";
    int const fd = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (fd < 0) throw BackupFileError(file, errno);
    ::close(fd);
    path_ = pattern;
  }

  ~UnfinishedFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  UnfinishedFile(UnfinishedFile const&) = delete;
  UnfinishedFile& operator=(UnfinishedFile const&) = delete;

  fs::path const& path() const noexcept { return path_; }

  void finish() {
    if (!sync_to_disk(path_)) throw BackupFileError(file_, errno);
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE) != 0)
      throw BackupFileError(file_, errno);
    path_.clear();
    if (!sync_to_disk(folder_of(file_))) throw BackupFileError(file_, errno);
  }

 private:
  fs::path file_;
  fs::path path_;
};

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

BackupFileError::BackupFileError(fs::path const& file, int error)
    : std::runtime_error(file.string() + ": " +
                         (error == EEXIST ? "there is such a file already" : std::generic_category().message(error))),
      exists_(error == EEXIST) {}

std::uintmax_t back_up(SqliteUrl const& url, fs::path const& file) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(file, ignored))) throw BackupFileError(file, EEXIST);
  require_some_schema(url);
  UnfinishedFile unfinished(file);
  try {
    auto const from = open_session(url, Access::read);
    auto const to = open_session(SqliteUrl{unfinished.path().string()}, Access::write);
    // The copy is discarded if anything fails before it is complete, and synced once afterwards.
    *to << "PRAGMA journal_mode = OFF";
    *to << "PRAGMA synchronous = OFF";
    copy_pages(*from, *to);
  } catch (soci::soci_error const& failure) {
    auto const error = translate(failure, url);
    throw Error(error.code(), std::string(error.what()) + " (while copying it to " + file.string() + ")");
  }
  unfinished.finish();
  return fs::file_size(file);
}

}  // namespace deployd::storage
