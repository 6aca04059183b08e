#include "storage/transfer/export_writer.hpp"

#include <charconv>
#include <ios>
#include <utility>

#include "base/json_escape.hpp"
#include "base/utf8.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

void append_number(std::string& out, std::int64_t number) {
  char digits[20];
  auto const end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(std::begin(digits), end);
}

/// Appends a field as defined by RFC 4180. Also quotes fields that some readers would change: those with leading or
/// trailing blanks, and the empty text, which they take for a missing value.
void append_csv_field(std::string& out, std::string_view text) {
  bool const plain =
      !text.empty() && text.find_first_of(",;\t\"\r\n") == text.npos && text.front() != ' ' && text.back() != ' ';
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (auto end = text.find('"'); end != text.npos; end = text.find('"')) {
    out += text.substr(0, end + 1);
    out += '"';
    text.remove_prefix(end + 1);
  }
  out += text;
  out += '"';
}

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
  if (format_ == ExportFormat::csv) {
    append_csv_row(id, pattern_id, name);
  } else {
    if (format_ == ExportFormat::ndjson)
      buffer_ += in_patterns_ ? R"({"pattern":)" : R"({"deployment":)";
    else if (!std::exchange(first_in_array_, false))
      buffer_ += ',';
    buffer_ += R"({"id":)";
    append_number(buffer_, id);
    if (!in_patterns_) {
      buffer_ += R"(,"pattern_id":)";
      append_number(buffer_, pattern_id);
    }
    append_name(id, name);
    buffer_ += format_ == ExportFormat::ndjson ? "}}\n" : "}";
  }
  if (buffer_.size() >= buffer_bytes) send();
  return true;
}

void ExportWriter::append_name(std::int64_t id, std::optional<std::string_view> name) {
  buffer_ += R"(,"name":)";
  if (!name) {
    buffer_ += "null";
    return;
  }
  check_name(id, *name);
  buffer_ += '"';
  base::append_json_escaped(buffer_, *name);
  buffer_ += '"';
}

void ExportWriter::append_csv_row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  append_number(buffer_, id);
  buffer_ += ',';
  if (!in_patterns_) {
    append_number(buffer_, pattern_id);
    buffer_ += ',';
  }
  if (name) {
    check_name(id, *name);
    append_csv_field(buffer_, *name);
  }
  buffer_ += '\n';
}

void ExportWriter::check_name(std::int64_t id, std::string_view name) const {
  if (base::is_utf8(name)) return;
  throw Error(errc::bad_input, (in_patterns_ ? names_.patterns : names_.deployments) +
                                   ": the name of the row with id " + std::to_string(id) +
                                   " is not UTF-8 and cannot be exported; correct it with UPDATE");
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
