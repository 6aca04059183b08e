// Writes lists while the store returns their rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/form.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

/// The Content-Type of a list.
std::string_view content_type(Format format) noexcept;

/// Writes the rows of a query as a list:
///
///      json      an array
///      ndjson    the objects of that array, each on a line of its own
///      csv       a header line with the names of the columns, then a line for each row
class ListRows final : public storage::RowSink {
 public:
  /// `out` must outlive this object and may be emptied between rows. It is full when it contains `enough` bytes: names
  /// may be long, so limiting the number of rows is not sufficient.
  ListRows(std::string& out, std::size_t enough, storage::Table table, Format format = Format::json)
      : out_(out), enough_(enough), table_(table), format_(format) {}

  /// Appends what precedes the rows. Without `begin` and `end`, the rows are the elements of the list.
  void begin();
  void end();

  bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) override;

  std::int64_t last_id() const noexcept { return last_id_; }

 private:
  void append_object(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name);

  std::string& out_;
  std::size_t enough_;
  storage::Table table_;
  Format format_;
  std::int64_t last_id_ = 0;
  bool first_ = true;
};

}  // namespace deployd::routing
