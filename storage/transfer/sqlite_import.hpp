// An import into a SQLite store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/session/sqlite_statement.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// The store's own check of foreign keys is off, because it could not report the line at fault.
class SqliteImport final : public ImportTarget {
 public:
  /// Takes the write lock; readers are not blocked. Throws `Error` or soci::soci_error.
  SqliteImport(DatabaseUrl const& url, ImportOptions options);
  ~SqliteImport() override;

  void write() override;
  void commit() override;

 private:
  void stage(std::int64_t number, ImportRow const& row) override;
  void end_rows() override {}
  std::uint64_t execute(std::string const& sql) override;
  void release_names() override;

  bool rebuilds_indexes();
  bool spilled() noexcept;
  void shrink_log() noexcept;

  bool committed_ = false;
  // Created after the transaction began, and destroyed before it ends: a remaining statement would keep it open.
  std::optional<SqliteStatement> stage_;
};

}  // namespace deployd::storage
