// Rows on their way from a thread of the store to the worker that asked for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace deployd::storage {

/// Takes rows on one thread and gives them on later on another. Has enough when the names together are larger than
/// `most_bytes`.
class RowBuffer final : public RowSink {
 public:
  static constexpr std::size_t most_bytes = std::size_t{1} << 20;

  bool row(std::int64_t id, std::int64_t pattern_id, std::string_view name) override {
    rows_.push_back({id, pattern_id, name.size()});
    names_.append(name);
    return names_.size() < most_bytes;
  }

  bool empty() const noexcept { return next_ == rows_.size(); }
  /// Whether the names together are larger than an ordinary fetch should hold.
  bool large() const noexcept { return names_.size() >= most_bytes; }

  /// Gives the next row to `sink`, and returns what it says. Not to be called when empty.
  bool give_next(RowSink& sink) {
    auto const& row = rows_[next_++];
    auto const name = std::string_view(names_).substr(next_name_, row.name_size);
    next_name_ += row.name_size;
    return sink.row(row.id, row.pattern_id, name);
  }

 private:
  struct Row {
    std::int64_t id;
    std::int64_t pattern_id;
    std::size_t name_size;
  };

  std::vector<Row> rows_;
  std::string names_;
  std::size_t next_ = 0;
  std::size_t next_name_ = 0;
};

}  // namespace deployd::storage
