// Writes the rows of an import to a store.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {

/// The position of a row in the input.
struct RowPlace {
  std::uint32_t source = 0;  // index of the source, counted from 0
  std::uint64_t line = 0;    // counted from 1: the beginning of the row
  std::uint64_t column = 0;  // counted from 1, in characters: the position of the error; 0 if unknown

  bool operator==(RowPlace const&) const = default;
};

/// Thrown for a row that makes the whole import fail. `what()` is the reason, for a message that begins with
/// "NAME:LINE: " or "NAME:LINE:COLUMN: ".
class BadRow : public std::runtime_error {
 public:
  BadRow(RowPlace place, std::string const& reason) : std::runtime_error(reason), place_(place) {}
  RowPlace place() const noexcept { return place_; }

 private:
  RowPlace place_;
};

/// How an import changes the store.
struct ImportOptions {
  bool replace = false;  // delete rows that are not in the import
  bool dry_run = false;  // roll back the import
  /// With `replace`, the names of the patterns to which it is limited; empty for all. Deployments of these patterns
  /// that are not in the import are deleted, and a pattern of the store whose name a pattern of the import takes over.
  /// Every deployment of the import belongs to one of them, and follows its pattern.
  std::vector<std::string> only_patterns = {};
  bool refuses_second_row = false;  // two rows with one id are an error
};

/// The changes of the rows of a table. Of several rows with one id the last counts.
struct RowChanges {
  std::uint64_t added = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;  // rows of the import that are equal in the store; other rows of the store are not
                                // counted
  std::uint64_t deleted = 0;
};

struct ImportChanges {
  RowChanges patterns;
  RowChanges deployments;
};

/// A row of an import. Names are UTF-8 without U+0000.
struct ImportRow {
  RowPlace place = {};
  std::int64_t id = 0;
  // A deployment has one of these, a pattern neither.
  std::optional<std::int64_t> pattern_id = {};
  std::optional<std::string_view> pattern = {};  // the name of the pattern at the end of the import
  std::string_view name = {};

  bool is_pattern() const noexcept { return !pattern_id && !pattern; }
};

/// Takes the rows of an import. They may come in any order; of several rows with one id the last counts.
class ImportRows {
 public:
  /// The names must be valid during the call only. Throws `BadRow`, `Error` or soci::soci_error, after which the object
  /// can only be destroyed.
  virtual void add(ImportRow const& row) = 0;

 protected:
  ~ImportRows() = default;
};

/// One import into one store: a transaction that begins when the object is created, and is rolled back on destruction
/// unless it was committed. Rows wait in a temporary table until all are known: only then it is certain which rows
/// count, which names of patterns are unique, and that every deployment has its pattern. The statements are the same
/// for both stores. Members throw like `add`.
class ImportTarget : public ImportRows {
 public:
  virtual ~ImportTarget() = default;

  void add(ImportRow const& row) final;

  /// Must be called after the last row. Refuses the import if its rows contradict each other or the store, naming the
  /// first invalid row in the order of the input. With `ImportOptions::replace` only patterns of the import count.
  /// Returns the changes of the store; those of patterns are made, and rows that have to go are deleted.
  ImportChanges check();

  /// Must be called after `check`. Writes the deployments, and makes the store as fast to read as before.
  virtual void write() = 0;

  /// Commits. Must be called last.
  virtual void commit() = 0;

 protected:
  ImportTarget(DatabaseUrl const& url, ImportOptions options);

  /// Adds a row to the table `import_rows`, with its number in the whole input.
  virtual void stage(std::int64_t number, ImportRow const& row) = 0;
  /// Called after the last row: completes `import_rows`, and locks the store against other writers.
  virtual void end_rows() = 0;
  /// Runs one statement and returns the number of rows that it wrote.
  virtual std::uint64_t execute(std::string const& sql) = 0;
  /// Removes or replaces the names that patterns in `import_patterns` had until now.
  virtual void release_names() = 0;

  void write_deployments();

  ImportOptions options_;
  ImportChanges changes_;
  std::int64_t rows_ = 0;
  std::unique_ptr<soci::session> session_;
  std::optional<Transaction> transaction_;

 private:
  void take_patterns();
  void delete_other_patterns();
  void refuse_taken_name();
  void refuse_unknown_pattern();
  void take_last_rows();
  void delete_other_deployments();
  void refuse_second_row(std::string const& kind, std::string const& numbered);
  RowChanges count_changes(std::string const& rows, std::string const& table, std::string const& differs);

  std::optional<std::int64_t> last_deployment_;
  bool ascending_ = true;  // no two deployments have the same id
};

}  // namespace deployd::storage
