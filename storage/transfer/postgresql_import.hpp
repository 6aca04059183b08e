// An import into a PostgreSQL store.
#pragma once

#include <cstdint>
#include <string>

#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// Rows are copied with COPY to the temporary table as they come. Other writers wait from the last row on, readers do
/// not: the import holds no lock that a reader would wait for, so it cannot drop an index in its transaction.
///
/// A large import into an empty table would spend most of its time on the indexes. There they are dropped beforehand,
/// in a transaction of their own, and created again when the rows are inserted or the import has failed. If the process
/// dies in between, the table is empty and has no indexes; the next import creates those that are missing.
class PostgresqlImport final : public ImportTarget {
 public:
  /// Throws `Error` or soci::soci_error.
  PostgresqlImport(DatabaseUrl const& url, ImportOptions options);
  ~PostgresqlImport() override;

  void write() override;
  void commit() override;

 private:
  void stage(std::int64_t number, ImportRow const& row) override;
  void end_rows() override;
  std::uint64_t execute(std::string const& sql) override;
  void release_names() override;

  void send_rows();
  void drop_indexes_of_empty_table();
  void make_missing_indexes();
  void vacuum() noexcept;

  DatabaseUrl url_;
  std::string unsent_;  // rows in COPY's binary format
  bool indexes_dropped_ = false;
};

}  // namespace deployd::storage
