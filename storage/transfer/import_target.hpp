// The interface through which an import writes rows to a store.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

/// A pattern whose name belongs to another pattern at the end of the import.
class TakenName : public BadRow {
 public:
  TakenName(RowPlace place, std::int64_t id, std::string_view name, std::int64_t owner);
};

/// A row whose id an earlier row of the import has, where that is not allowed.
class SecondRow : public BadRow {
 public:
  SecondRow(RowPlace place, std::string const& kind, std::int64_t id)
      : BadRow(place, "a second " + kind + " with the id " + std::to_string(id)) {}
};

/// A deployment whose pattern is neither in the store nor in the import.
class UnknownPattern : public BadRow {
 public:
  UnknownPattern(RowPlace place, std::int64_t id, std::int64_t pattern_id);
};

/// A deployment that names its pattern, but no pattern has that name at the end of the import.
class UnknownPatternName : public BadRow {
 public:
  UnknownPatternName(RowPlace place, std::int64_t id, std::string_view pattern);
};

/// How an import changes the store.
struct ImportOptions {
  bool replace = false;  // delete rows that are not in the import
  bool dry_run = false;  // roll back the import
  /// With `replace`, the names of the patterns to which it is limited; empty for all. Deployments of these patterns
  /// that are not in the import are deleted, and a pattern of the store whose name a pattern of the import takes over.
  /// Every deployment of the import belongs to one of them, and follows its pattern.
  std::vector<std::string> only_patterns = {};
  bool refuses_second_row = false;  // two rows with one id are an error; needs `replace` or `dry_run`

  bool counts_changes() const noexcept { return replace || dry_run; }
  /// True if all rows that are not in the import are deleted.
  bool replaces_all() const noexcept { return replace && only_patterns.empty(); }
  bool replaces_patterns() const noexcept { return replace && !only_patterns.empty(); }
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

/// Takes the rows of an import. They may come in any order; of several rows with one id the last counts.
///
/// Names are UTF-8 without U+0000, and must be valid during the call only. Members throw `BadRow`, `Error` or
/// soci::soci_error, after which the object can only be destroyed.
class ImportRows {
 public:
  virtual void pattern(RowPlace place, std::int64_t id, std::string_view name) = 0;
  virtual void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) = 0;
  /// Adds a deployment of the pattern whose name is `pattern` at the end of the import.
  virtual void deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) = 0;

 protected:
  ~ImportRows() = default;
};

/// One import into one store: a transaction that begins when the object is created, and is rolled back on destruction
/// unless it was committed. Members throw like those of `ImportRows`.
class ImportTarget : public ImportRows {
 public:
  virtual ~ImportTarget() = default;

  /// Called after the last row. Checks what can only be known then: that names of patterns are unique and that every
  /// deployment has its pattern. Reports the first invalid row in the order of the input. With `ImportOptions::replace`
  /// only patterns of the import count, and the other rows are deleted.
  virtual void check() = 0;

  /// Called after `check`. Returns the changes of the store, which are counted only if the options say so.
  virtual ImportChanges changes() const { return {}; }

  /// Called after `check`. Makes the store as fast to read as before.
  virtual void build_indexes() = 0;

  /// Commits. Must be called last.
  virtual void commit() = 0;
};

}  // namespace deployd::storage
