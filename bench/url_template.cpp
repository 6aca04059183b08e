#include "bench/url_template.hpp"

#include <charconv>
#include <regex>
#include <stdexcept>

namespace deployd::bench {
namespace {

std::uint64_t number(std::string const& text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) throw std::invalid_argument("the range's end " + text + " is too large");
  return value;
}

}  // namespace

UrlTemplate::UrlTemplate(std::string const& text) {
  static std::regex const form(R"(\{([0-9]+)\.\.([0-9]+)\})");
  auto rest = text.begin();
  for (std::sregex_iterator at(text.begin(), text.end(), form); at != std::sregex_iterator(); ++at) {
    Range const range{at->prefix(), number(at->str(1)), number(at->str(2))};
    if (range.first > range.last || range.last == UINT64_MAX)
      throw std::invalid_argument("the range " + at->str() + " is empty");
    ranges_.push_back(range);
    rest = (*at)[0].second;
  }
  rest_.assign(rest, text.end());
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
