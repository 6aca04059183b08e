// Formats the rows of an export.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "storage/relation_name.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

enum class ExportFormat { json, ndjson, csv };

/// The tables of an export.
enum class ExportTables { both, patterns, deployments };

/// Writes patterns, then deployments, in the given order. Throws std::ios_base::failure as soon as the stream fails,
/// and `Error` with `bad_input` for a name that is not UTF-8.
class ExportWriter final : public RowSink {
 public:
  /// `out` must outlive the writer.
  ExportWriter(ExportFormat format, ExportTables tables, TableNames names, std::ostream& out);

  /// False for a table that is not written, so its rows need not be read.
  bool has_patterns() const noexcept { return tables_ != ExportTables::deployments; }
  bool has_deployments() const noexcept { return tables_ != ExportTables::patterns; }

  /// Writes a pattern, whose `pattern_id` is ignored, or after `begin_deployments` a deployment. Returns true.
  bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) override;
  /// Must be called once, between the last pattern and the first deployment.
  void begin_deployments();
  /// Must be called last. Everything has been written when it returns.
  void finish();

 private:
  void begin_array(std::string_view name);
  void append_csv_row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name);
  void append_json_row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name);
  void send();

  ExportFormat format_;
  ExportTables tables_;
  TableNames names_;
  std::ostream& out_;
  std::string buffer_;
  bool in_patterns_ = true;
  bool first_in_array_ = true;
};

}  // namespace deployd::storage
