// Detects commits to a SQLite database in the memory that its users share.
#pragma once

#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <cstdint>
#include <optional>

namespace deployd::storage {

/// The header of the WAL index (https://sqlite.org/walformat.html, "The WAL-Index Header"), where SQLite maps it.
///
/// Every commit, by whichever process, writes a new header before it returns: it counts transactions and bears the
/// checksum of the log and its random salts, so that two that are alike mean the same content. Comparing it costs no
/// system call and no lock, where `PRAGMA data_version` costs two and a transaction.
class SqliteWalIndex {
 public:
  /// A header as it was at one moment, torn when a commit was under way; such a one is never seen again.
  using Header = std::array<std::uint64_t, 6>;

  /// The index that `database` uses. Nothing when the database is not in WAL mode or its index is not in shared memory
  /// that this process may write, as on a read-only file system. `database` must outlive the index and must have read.
  static std::optional<SqliteWalIndex> of(sqlite_api::sqlite3* database) noexcept;

  Header header() const noexcept;

 private:
  explicit SqliteWalIndex(std::uint64_t* header) noexcept : header_(header) {}

  std::uint64_t* header_;
};

}  // namespace deployd::storage
