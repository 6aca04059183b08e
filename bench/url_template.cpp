#include "bench/url_template.hpp"

#include <charconv>
#include <optional>
#include <stdexcept>

namespace deployd::bench {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) throw std::invalid_argument("the range's end " + std::string(text) + " is too large");
  return value;
}

struct Bounds {
  std::string_view first;
  std::string_view last;
};

// Parses the text between braces, if it has the form of a range.
std::optional<Bounds> bounds(std::string_view inside) {
  auto const dots = inside.find("..");
  if (dots == std::string_view::npos) return {};
  Bounds const found{inside.substr(0, dots), inside.substr(dots + 2)};
  if (!all_digits(found.first) || !all_digits(found.last)) return {};
  return found;
}

}  // namespace

UrlTemplate::UrlTemplate(std::string_view text) {
  std::size_t from = 0;
  while (true) {
    auto const open = text.find('{', from);
    auto const close = text.find('}', open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    auto const found = bounds(text.substr(open + 1, close - open - 1));
    if (!found) {
      from = open + 1;
      continue;
    }
    Range range{std::string(text.substr(0, open)), number(found->first), number(found->last)};
    if (range.first > range.last || range.last == UINT64_MAX)
      throw std::invalid_argument("the range " + std::string(text.substr(open, close - open + 1)) + " is empty");
    ranges_.push_back(std::move(range));
    text.remove_prefix(close + 1);
    from = 0;
  }
  rest_ = text;
}

void UrlTemplate::append_to(std::string& out, std::uint64_t index) const {
  for (auto const& range : ranges_) {
    out += range.before;
    char digits[20];
    std::uint64_t const value = range.first + index % (range.last - range.first + 1);
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  out += rest_;
}

}  // namespace deployd::bench
