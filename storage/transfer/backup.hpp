// Copies a store while it is in use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Thrown if the file for a backup cannot be created or written. `what()` is one line that names it.
class BackupFileError : public std::runtime_error {
 public:
  BackupFileError(std::filesystem::path const& file, int error);

  /// True if the file already exists.
  bool exists() const noexcept { return exists_; }

 private:
  bool exists_;
};

/// Copies a SQLite store, of any schema version, to `file`, which must not exist: one consistent snapshot, without
/// blocking writers. The copy gets its name only when it is complete and on the disk. It is readable by its owner only.
/// Returns its size in bytes.
///
/// Throws BackupFileError, or `Error` for a store that is missing, not deployd's, or unreadable.
std::uintmax_t back_up(SqliteUrl const& url, std::filesystem::path const& file);

}  // namespace deployd::storage
