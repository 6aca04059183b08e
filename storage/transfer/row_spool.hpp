// Rows that wait in a temporary file for their transaction.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "storage/transfer/list_reader.hpp"

namespace deployd::storage {

class ImportRows;

/// Keeps rows in a file below TMPDIR that has no name, so that reading them from a slow server neither takes memory nor
/// holds the lock of the store. All members throw `Error` with `unavailable` if the file cannot be written or read.
class RowSpool final : public ListRows {
 public:
  RowSpool();

  void pattern(std::int64_t id, std::string_view name) override;
  void deployment(std::int64_t id, std::int64_t pattern_id, std::string_view name) override;

  /// A position between two rows.
  using Mark = std::int64_t;
  Mark mark() const noexcept { return size_; }
  /// Drops the rows that were added after `mark` was taken.
  void cut(Mark mark);

  /// Passes all rows on, in the order in which they were added.
  void write_to(ImportRows& rows);

 private:
  enum class Kind : std::uint8_t { pattern, deployment };
  struct Head {
    std::int64_t id;
    std::int64_t pattern_id;
    std::uint32_t name_bytes;
    Kind kind;
  };
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  void add(Head const& head, std::string_view name);
  [[noreturn]] void fail() const;

  std::string directory_;
  std::unique_ptr<std::FILE, Close> file_;
  Mark size_ = 0;  // in bytes
};

}  // namespace deployd::storage
