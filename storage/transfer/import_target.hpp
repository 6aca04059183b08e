// Where the rows of an import go: what every store has to do with them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace deployd::storage {

/// Where a row stands in the input.
struct RowPlace {
  std::uint32_t source = 0;  // which of the sources, counted from 0
  std::uint64_t line = 0;    // counted from 1: where the row begins
  std::uint64_t column = 0;  // counted from 1, in characters: where the line is wrong; 0: not known

  bool operator==(RowPlace const&) const = default;
};

/// A row that makes the whole import fail, and why, in words that come behind "NAME:LINE: " or "NAME:LINE:COLUMN: ".
class BadRow : public std::runtime_error {
 public:
  BadRow(RowPlace place, std::string const& reason) : std::runtime_error(reason), place_(place) {}
  RowPlace place() const noexcept { return place_; }

 private:
  RowPlace place_;
};

/// A pattern whose name another pattern bears when the import is done.
class TakenName : public BadRow {
 public:
  TakenName(RowPlace place, std::int64_t id, std::string_view name, std::int64_t owner);
};

/// A deployment whose pattern is neither in the store nor in the import.
class UnknownPattern : public BadRow {
 public:
  UnknownPattern(RowPlace place, std::int64_t id, std::int64_t pattern_id);
};

/// A deployment whose pattern is named, and no pattern has that name when the import is done.
class UnknownPatternName : public BadRow {
 public:
  UnknownPatternName(RowPlace place, std::int64_t id, std::string_view pattern);
};

/// How an import changes the store.
struct ImportOptions {
  bool replace = false;  // rows that the import does not have are deleted
  bool dry_run = false;  // the import is rolled back

  bool counts_changes() const noexcept { return replace || dry_run; }
};

/// What an import does to the rows of a table. Of several rows with one id the last counts.
struct RowChanges {
  std::uint64_t added = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;  // the import has them as they were; others in the store are not counted
  std::uint64_t deleted = 0;
};

struct ImportChanges {
  RowChanges patterns;
  RowChanges deployments;
};

/// One import into one store: a transaction that is begun by making the object and rolled back by destroying it, unless
/// it was committed in between. Rows may come in any order; of several with one id the last counts.
///
/// Names are UTF-8 without U+0000. Members throw `BadRow`, `Error` or soci::soci_error, after which the object can only
/// be destroyed.
class ImportTarget {
 public:
  virtual ~ImportTarget() = default;

  /// Names are needed during the call only.
  virtual void pattern(RowPlace place, std::int64_t id, std::string_view name) = 0;
  virtual void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) = 0;
  /// A deployment of the pattern that has the name `pattern` when the import is done.
  virtual void deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) = 0;

  /// After the last row: checks what can only be known then, that names of patterns are unique and that every
  /// deployment has its pattern. The row named is the first in the order of the input that cannot stand. With
  /// `ImportOptions::replace` only patterns of the import count, and the other rows are deleted.
  virtual void check() = 0;

  /// After `check`: what the import does to the store. Counted only where the options say so.
  virtual ImportChanges changes() const { return {}; }

  /// After `check`: makes the store as fast to read as before.
  virtual void build_indexes() = 0;

  /// Last.
  virtual void commit() = 0;
};

}  // namespace deployd::storage
