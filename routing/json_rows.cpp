#include "routing/json_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json_escape.hpp"

namespace deployd::routing {
namespace {

constexpr std::size_t longest_integer = 20;  // -9223372036854775808

char* put(char* at, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), at);
}

char* put(char* at, std::int64_t value) noexcept {
  return std::to_chars(at, at + longest_integer, value).ptr;
}

}  // namespace

void append_deployment(std::string& out, std::int64_t id, std::int64_t pattern_id,
                       std::optional<std::string_view> name) {
  constexpr std::string_view before_id = R"({"id":)";
  constexpr std::string_view before_pattern = R"(,"pattern_id":)";
  constexpr std::string_view before_name = R"(,"name":")";
  // Assembled first: seven appends cost more than formatting the numbers.
  std::array<char, before_id.size() + before_pattern.size() + before_name.size() + 2 * longest_integer> numbers;
  auto* end = put(numbers.data(), before_id);
  end = put(end, id);
  end = put(end, before_pattern);
  end = put(end, pattern_id);
  end = put(end, before_name);
  out.append(numbers.data(), end);
  if (!name) [[unlikely]] {
    out.back() = 'n';
    out += "ull}";
    return;
  }
  base::append_json_escaped(out, *name);
  out += R"("})";
}

void append_pattern(std::string& out, std::int64_t id, std::optional<std::string_view> name) {
  out += R"({"id":)";
  out += std::to_string(id);
  out += R"(,"name":)";
  if (!name) {
    out += "null}";
    return;
  }
  out += '"';
  base::append_json_escaped(out, *name);
  out += R"("})";
}

}  // namespace deployd::routing
