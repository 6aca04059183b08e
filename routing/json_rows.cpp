#include "routing/json_rows.hpp"

#include <array>
#include <charconv>

#include "storage/json_escape.hpp"

namespace deployd::routing {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 20> digits;
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_deployment(std::string& out, std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  out += R"({"id":)";
  append_integer(out, id);
  out += R"(,"pattern_id":)";
  append_integer(out, pattern_id);
  out += R"(,"name":")";
  storage::append_json_escaped(out, name);
  out += R"("})";
}

bool JsonRows::row(std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  last_id_ = id;
  append_deployment(out_, id, pattern_id, name);
  return out_.size() < enough_;
}

}  // namespace deployd::routing
