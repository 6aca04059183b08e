// The text of an export, row by row.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "storage/export.hpp"

namespace deployd::storage {

/// Writes patterns, then deployments, in the order in which they are given. Throws std::ios_base::failure as soon as
/// the stream takes no more.
class ExportWriter {
 public:
  /// `out` must outlive the writer.
  ExportWriter(ExportFormat format, std::ostream& out);

  void pattern(std::int64_t id, std::string_view name);
  /// To be called once, between the last pattern and the first deployment.
  void begin_deployments();
  void deployment(std::int64_t id, std::int64_t pattern_id, std::string_view name);
  /// Last; everything has gone out when it returns.
  void finish();

 private:
  void begin_row(std::string_view line_beginning);
  void end_row();
  void send();

  ExportFormat format_;
  std::ostream& out_;
  std::string buffer_;
  bool first_in_array_ = true;
};

}  // namespace deployd::storage
