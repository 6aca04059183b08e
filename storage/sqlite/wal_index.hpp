// Detects commits to a SQLite database in the memory shared by its users.
#pragma once

#include <soci/soci.h>

#include <array>
#include <cstdint>
#include <optional>

namespace deployd::storage {

/// The header of the WAL index (https://sqlite.org/walformat.html, "The WAL-Index Header"), in the memory where SQLite
/// maps it.
///
/// Every commit, by any process, writes a new header before it returns. The header counts transactions and contains the
/// checksum of the log and its random salts, so that two equal headers mean the same content. Comparing it needs no
/// system call and no lock; `PRAGMA data_version` needs two calls and a transaction.
class SqliteWalIndex {
 public:
  /// A copy of the header. It may be torn if a commit was in progress; such a value never occurs again.
  using Header = std::array<std::uint64_t, 6>;

  /// Returns the index that `session` uses. Nothing if its database is not in WAL mode or its index is not in shared
  /// memory that this process may write, as on a read-only file system. `session` must outlive the index and must have
  /// been read from. Throws soci::soci_error.
  static std::optional<SqliteWalIndex> of(soci::session& session);

  Header header() const noexcept;

 private:
  explicit SqliteWalIndex(std::uint64_t* header) noexcept : header_(header) {}

  std::uint64_t* header_;
};

}  // namespace deployd::storage
