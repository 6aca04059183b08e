#include "storage/transfer/export_writer.hpp"

#include <fmt/format.h>

#include <ios>
#include <iterator>
#include <utility>

#include "base/csv_field.hpp"
#include "base/json_escape.hpp"
#include "base/utf8.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

}  // namespace

ExportWriter::ExportWriter(ExportFormat format, ExportTables tables, TableNames names, std::ostream& out)
    : format_(format), tables_(tables), names_(std::move(names)), out_(out) {
  if (format_ == ExportFormat::json) buffer_ += '{';
  if (!has_patterns()) return;
  if (format_ == ExportFormat::json) begin_array("patterns");
  if (format_ == ExportFormat::csv) buffer_ += "id,name\n";
}

void ExportWriter::begin_array(std::string_view name) {
  buffer_ += '"';
  buffer_ += name;
  buffer_ += "\":[";
  first_in_array_ = true;
}

void ExportWriter::begin_deployments() {
  in_patterns_ = false;
  if (!has_deployments()) return;
  if (has_patterns() && format_ == ExportFormat::json) buffer_ += "],";
  if (has_patterns() && format_ == ExportFormat::csv) buffer_ += '\n';
  if (format_ == ExportFormat::json) begin_array("deployments");
  if (format_ == ExportFormat::csv) buffer_ += "id,pattern_id,name\n";
}

bool ExportWriter::row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  if (name && !base::is_utf8(*name))
    throw Error(errc::bad_input, (in_patterns_ ? names_.patterns : names_.deployments) +
                                     ": the name of the row with id " + std::to_string(id) +
                                     " is not UTF-8 and cannot be exported; correct it with UPDATE");
  if (format_ == ExportFormat::csv)
    append_csv_row(id, pattern_id, name);
  else
    append_json_row(id, pattern_id, name);
  if (buffer_.size() >= buffer_bytes) send();
  return true;
}

void ExportWriter::append_csv_row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  auto const out = std::back_inserter(buffer_);
  fmt::format_to(out, "{},", id);
  if (!in_patterns_) fmt::format_to(out, "{},", pattern_id);
  if (name) base::append_csv_field(buffer_, *name);
  buffer_ += '\n';
}

void ExportWriter::append_json_row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  if (format_ == ExportFormat::ndjson)
    buffer_ += in_patterns_ ? R"({"pattern":)" : R"({"deployment":)";
  else if (!std::exchange(first_in_array_, false))
    buffer_ += ',';
  auto const out = std::back_inserter(buffer_);
  fmt::format_to(out, R"({{"id":{},)", id);
  if (!in_patterns_) fmt::format_to(out, R"("pattern_id":{},)", pattern_id);
  fmt::format_to(out, R"("name":{})", name ? base::json_quoted(*name) : "null");
  buffer_ += format_ == ExportFormat::ndjson ? "}}\n" : "}";
}

void ExportWriter::finish() {
  if (format_ == ExportFormat::json) buffer_ += "]}\n";
  send();
  out_.flush();
  if (!out_) throw std::ios_base::failure("the export cannot be written");
}

void ExportWriter::send() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
  if (!out_) throw std::ios_base::failure("the export cannot be written");
}

}  // namespace deployd::storage
