// An import into a SQLite store.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/transaction.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// Deployments are written as they arrive. Patterns wait in a temporary table, since two of them may swap their names
/// and SQLite checks every row immediately. Deployments that name their pattern wait too, since a later row may assign
/// or remove the name. All rows after them wait as well, so that the last of several rows with one id counts. The
/// store's own check of foreign keys is off, because it could not report the line at fault.
///
/// If changes are counted, a temporary table holds each deployment of the import once, with its previous values.
class SqliteImport final : public ImportTarget {
 public:
  /// Takes the write lock; readers are not blocked. Throws `Error` or soci::soci_error.
  explicit SqliteImport(DatabaseUrl const& url, ImportOptions const& options = {});
  ~SqliteImport() override;

  void pattern(RowPlace place, std::int64_t id, std::string_view name) override;
  void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) override;
  void deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) override;
  void check() override;
  ImportChanges changes() const override { return changes_; }
  void build_indexes() override;
  void commit() override;

 private:
  struct Index {
    std::string name;
    std::string sql;
  };

  void note_replaced_patterns();
  std::int64_t rows_changed();
  void bind_place(SqliteStatement& statement, RowPlace place) noexcept;
  bool knows_pattern(std::int64_t id);
  void note_pattern(RowPlace place, std::int64_t id, std::int64_t pattern_id);
  void put(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name);
  void begin_staging();
  std::int64_t ref_of(RowPlace place, std::int64_t id, std::string_view pattern);
  void stage(std::int64_t id, std::optional<std::int64_t> pattern_id, std::int64_t ref, std::string_view name);
  void write_patterns();
  void write_staged();
  [[noreturn]] void refuse_taken_name(RowPlace place, std::int64_t id, std::string const& name);
  void require_patterns_of_deployments();
  void consider_dropping_indexes();
  void delete_others();
  void count_pattern_changes();
  void count_deployment_changes();
  void count(std::string const& sql, RowChanges& changes);
  bool spilled() noexcept;
  void shrink_log() noexcept;

  ImportOptions options_;
  ImportChanges changes_;

  std::unique_ptr<soci::session> session_;
  std::optional<Transaction> transaction_;
  bool committed_ = false;
  // Created after the transaction began, and destroyed before it ends: a remaining statement would keep it open.
  std::unique_ptr<SqliteStatement> put_pattern_;
  std::unique_ptr<SqliteStatement> put_deployment_;
  std::unique_ptr<SqliteStatement> find_pattern_;
  std::unique_ptr<SqliteStatement> note_unknown_;
  std::unique_ptr<SqliteStatement> note_touched_;  // null if changes are not counted
  std::unique_ptr<SqliteStatement> note_name_;     // null, as the next two, until a pattern is named
  std::unique_ptr<SqliteStatement> find_name_;
  std::unique_ptr<SqliteStatement> stage_;

  std::int64_t row_ = 0;                                       // the number of the row in the whole input
  std::vector<std::optional<std::int64_t>> known_patterns_;    // the last seen of each hash
  std::unordered_map<std::string, std::int64_t> known_names_;  // names of patterns, with their numbers
  std::int64_t written_ = 0;                                   // deployments that are new or changed
  std::int64_t consider_dropping_at_;
  std::vector<Index> dropped_;
};

}  // namespace deployd::storage
