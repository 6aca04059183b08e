#include "storage/transfer/export_writer.hpp"

#include <charconv>
#include <ios>
#include <utility>

#include "base/json_escape.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

void append_number(std::string& out, std::int64_t number) {
  char digits[20];
  auto const end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(std::begin(digits), end);
}

}  // namespace

ExportWriter::ExportWriter(ExportFormat format, TableNames tables, std::ostream& out)
    : format_(format), tables_(std::move(tables)), out_(out) {
  if (format_ == ExportFormat::json) buffer_ += R"({"patterns":[)";
}

void ExportWriter::pattern(std::int64_t id, std::optional<std::string_view> name) {
  begin_row(R"({"pattern":)");
  buffer_ += R"({"id":)";
  append_number(buffer_, id);
  append_name(tables_.patterns, id, name);
  end_row();
}

void ExportWriter::begin_deployments() {
  if (format_ == ExportFormat::json) buffer_ += R"(],"deployments":[)";
  first_in_array_ = true;
}

void ExportWriter::deployment(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  begin_row(R"({"deployment":)");
  buffer_ += R"({"id":)";
  append_number(buffer_, id);
  buffer_ += R"(,"pattern_id":)";
  append_number(buffer_, pattern_id);
  append_name(tables_.deployments, id, name);
  end_row();
}

void ExportWriter::begin_row(std::string_view line_beginning) {
  if (format_ == ExportFormat::ndjson)
    buffer_ += line_beginning;
  else if (!first_in_array_)
    buffer_ += ',';
  first_in_array_ = false;
}

void ExportWriter::append_name(std::string const& table, std::int64_t id, std::optional<std::string_view> name) {
  buffer_ += R"(,"name":)";
  if (!name) {
    buffer_ += "null";
    return;
  }
  buffer_ += '"';
  if (!base::append_json_escaped(buffer_, *name))
    throw Error(errc::bad_input, table + ": the name of the row with id " + std::to_string(id) +
                                     " is not UTF-8 and cannot be exported; correct it with UPDATE");
  buffer_ += '"';
}

void ExportWriter::end_row() {
  buffer_ += format_ == ExportFormat::ndjson ? "}}\n" : "}";
  if (buffer_.size() >= buffer_bytes) send();
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
