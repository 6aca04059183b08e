// An import into a PostgreSQL store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/database_url.hpp"
#include "storage/import_target.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {

/// Rows go in batches by COPY into a temporary table and from there into the store. No lock is taken that a reader
/// would wait for: that is why the indexes stay, and are kept up row by row. Other writers wait.
class PostgresqlImport final : public ImportTarget {
 public:
  /// Throws `Error` or soci::soci_error; with `errc::busy` when somebody else writes for too long.
  explicit PostgresqlImport(DatabaseUrl const& url);

  void pattern(RowPlace place, std::int64_t id, std::string_view name) override;
  void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) override;
  void check() override;
  void build_indexes() override;
  void commit() override;

 private:
  void add(RowPlace place, std::int64_t id, std::optional<std::int64_t> pattern_id, std::string_view name);
  void send_buffer();
  void end_copy();
  void write_batch();
  void write_patterns();
  void write_deployments();

  std::unique_ptr<soci::session> session_;
  std::optional<Transaction> transaction_;
  std::string buffer_;  // of the COPY that is under way
  bool copying_ = false;
  std::int64_t row_ = 0;  // the number of the row in the whole input
  std::int64_t batch_patterns_ = 0;
  std::int64_t batch_deployments_ = 0;
  std::int64_t last_id_ = 0;    // of the last deployment in the batch
  bool ascending_ = true;       // so far no id of a deployment can be in the batch twice
  bool keys_deferred_ = false;  // a deployment came in front of its pattern
};

}  // namespace deployd::storage
