// An import into a PostgreSQL store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/database_url.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/transaction.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// Rows are copied in batches with COPY to a temporary table and from there to the store. Other writers wait, readers
/// do not: the import holds no lock that a reader would wait for, so it cannot drop an index in its transaction.
/// Deployments that name their pattern wait in another temporary table, since a later row may assign or remove the
/// name. All rows after them wait too, so that the last of several rows with one id counts.
///
/// A large import into an empty table would spend most of its time on the indexes. There they are dropped beforehand,
/// in a transaction of their own, and created again when the rows are inserted or the import has failed. If the process
/// dies in between, the table is empty and has no indexes; the next import creates those that are missing.
class PostgresqlImport final : public ImportTarget {
 public:
  /// Throws `Error`. The transaction begins with the first batch.
  explicit PostgresqlImport(DatabaseUrl const& url, ImportOptions const& options = {});
  ~PostgresqlImport() override;

  void pattern(RowPlace place, std::int64_t id, std::string_view name) override;
  void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) override;
  void deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) override;
  void check() override;
  ImportChanges changes() const override { return changes_; }
  void build_indexes() override;
  void commit() override;

 private:
  void add_deployment(RowPlace place, std::int64_t id, std::optional<std::int64_t> pattern_id,
                      std::optional<std::string_view> pattern, std::string_view name);
  void add(RowPlace place, std::int64_t id, std::optional<std::int64_t> pattern_id,
           std::optional<std::string_view> pattern, std::string_view name);
  void begin();
  void note_replaced_patterns();
  void drop_indexes_of_empty_table();
  void make_missing_indexes();
  void vacuum() noexcept;
  void write_batch();
  void copy_batch();
  void write_patterns();
  void refuse_row(std::string const& kind, std::string_view query, std::string_view known);
  void write_deployments();
  void take_deployments(char const* batch, bool ascending);
  void require_patterns_of_deployments();
  void delete_others();
  void count_changes();
  PostgresqlResult run_about_patterns(std::string sql);

  DatabaseUrl url_;
  ImportOptions options_;
  ImportChanges changes_;
  std::unique_ptr<soci::session> session_;
  std::optional<Transaction> transaction_;
  bool indexes_dropped_ = false;
  bool keys_deferred_ = false;  // a deployment came before its pattern
  bool staging_ = false;        // a deployment has named its pattern

  std::string batch_;     // rows in COPY's binary format
  std::int64_t row_ = 0;  // the number of the row in the whole input
  std::int64_t batch_patterns_ = 0;
  std::int64_t batch_deployments_ = 0;
  std::int64_t last_id_ = 0;  // of the last deployment in the batch
  bool ascending_ = true;     // no two deployments in the batch have the same id
  std::optional<std::int64_t> last_staged_id_;
  bool staged_ascending_ = true;  // the same for the waiting rows
};

}  // namespace deployd::storage
