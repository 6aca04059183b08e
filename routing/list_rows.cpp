#include "routing/list_rows.hpp"

#include "routing/csv_rows.hpp"
#include "routing/json_rows.hpp"
#include "routing/response.hpp"

namespace deployd::routing {

std::string_view content_type(Format format) noexcept {
  switch (format) {
    case Format::json: break;
    case Format::ndjson: return "application/x-ndjson";
    case Format::csv: return "text/csv; charset=utf-8; header=present";
  }
  return json_type;
}

void ListRows::begin() {
  if (format_ == Format::json) out_ += '[';
  if (format_ == Format::csv) out_ += table_ == storage::Table::patterns ? "id,name\r\n" : "id,pattern_id,name\r\n";
}

void ListRows::end() {
  if (format_ == Format::json) out_ += ']';
}

bool ListRows::row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  last_id_ = id;
  if (format_ == Format::csv) {
    bool const patterns = table_ == storage::Table::patterns;
    append_csv_row(out_, id, patterns ? std::nullopt : std::optional(pattern_id), name);
    return out_.size() < enough_;
  }
  if (format_ == Format::json && !first_) out_ += ',';
  first_ = false;
  append_object(id, pattern_id, name);
  if (format_ == Format::ndjson) out_ += '\n';
  return out_.size() < enough_;
}

void ListRows::append_object(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  if (table_ == storage::Table::patterns)
    append_pattern(out_, id, name);
  else
    append_deployment(out_, id, pattern_id, name);
}

}  // namespace deployd::routing
