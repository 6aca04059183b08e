// Rows that wait in a temporary file for their transaction.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// Keeps rows in a file below TMPDIR that has no name, so that reading them from a slow server neither takes memory nor
/// holds the lock of the store. All members throw `Error` with `unavailable` if the file cannot be written or read.
class RowSpool final : public ImportRows {
 public:
  RowSpool();

  /// The place of the row is not kept, nor is the name of a deployment's pattern.
  void add(ImportRow const& row) override;

  /// A position between two rows.
  using Mark = std::int64_t;
  Mark mark() const noexcept { return size_; }
  /// Drops the rows that were added after `mark` was taken.
  void cut(Mark mark);

  /// Passes all rows on, in the order in which they were added.
  void write_to(ImportRows& rows);

 private:
  struct Head {
    std::int64_t id;
    std::int64_t pattern_id;  // 0 for a pattern
    std::uint32_t name_bytes;
    bool is_pattern;
  };
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  [[noreturn]] void fail() const;

  std::string directory_;
  std::unique_ptr<std::FILE, Close> file_;
  Mark size_ = 0;  // in bytes
};

}  // namespace deployd::storage
