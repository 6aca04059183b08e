// A copy of a store while it is in use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// The file that a backup was to become is not to be had. `what()` is one line that names it.
class BackupFileError : public std::runtime_error {
 public:
  BackupFileError(std::filesystem::path const& file, int error);

  /// True if the file already exists.
  bool exists() const noexcept { return exists_; }

 private:
  bool exists_;
};

/// Copies a SQLite store, of whatever schema version, to `file`, which must not exist: one consistent snapshot, whoever
/// writes meanwhile and without holding anybody up. The copy has its name only when it is whole and on the disk; it can
/// be read by its owner alone. Returns its size in bytes.
///
/// Throws BackupFileError, or `Error` for a store that is missing, not deployd's, or cannot be read.
std::uintmax_t back_up(SqliteUrl const& url, std::filesystem::path const& file);

}  // namespace deployd::storage
