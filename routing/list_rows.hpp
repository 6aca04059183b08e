// Writes records and lists while the store returns their rows: as JSON, lines of JSON, or CSV (RFC 4180).
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

/// Appends `{"id":1,"pattern_id":1,"name":"..."}`, without a pattern `{"id":1,"name":"..."}`. Without a name it is
/// `null`. Bytes that are not UTF-8 are replaced.
void append_json(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                 std::optional<std::string_view> name);

/// Appends `1,1,name` and the line end, without a pattern `1,name`. A field with commas, quotes, line ends or white
/// space at its ends is quoted, and so is an empty name, unlike one that is missing. Bytes that are not UTF-8 are
/// replaced.
void append_csv(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                std::optional<std::string_view> name);

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
  std::string& out_;
  std::size_t enough_;
  storage::Table table_;
  Format format_;
  std::int64_t last_id_ = 0;
  bool first_ = true;
};

}  // namespace deployd::routing
