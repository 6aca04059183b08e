#include "routing/metrics_format.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace deployd::routing {
namespace {

using boost::beast::iequals;

std::string_view trimmed(std::string_view text) noexcept {
  auto const start = std::min(text.find_first_not_of(" \t"), text.size());
  auto const end = text.find_last_not_of(" \t");
  return end == std::string_view::npos ? std::string_view() : text.substr(start, end + 1 - start);
}

/// Removes the text before the next `separator` from the front of `text` and returns it.
std::string_view take_until(std::string_view& text, char separator) noexcept {
  auto const end = std::min(text.find(separator), text.size());
  auto const part = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// Returns a qvalue in thousandths; an invalid one counts as 1.
unsigned quality(std::string_view value) noexcept {
  if (value.empty() || value.size() > 5 || (value[0] != '0' && value[0] != '1')) return 1000;
  unsigned thousandths = value[0] == '1' ? 1000 : 0;
  unsigned weight = 100;
  for (auto const digit : value.substr(std::min<std::size_t>(2, value.size()))) {
    if (digit < '0' || digit > '9') return 1000;
    thousandths += weight * static_cast<unsigned>(digit - '0');
    weight /= 10;
  }
  return std::min(thousandths, 1000U);
}

struct Wish {
  std::string_view type;
  bool version_known = true;
  unsigned quality = 1000;
};

Wish read_wish(std::string_view range) noexcept {
  Wish wish{take_until(range, ';')};
  while (!range.empty()) {
    auto parameter = take_until(range, ';');
    auto const name = take_until(parameter, '=');
    if (iequals(name, "q")) wish.quality = quality(parameter);
    if (iequals(name, "version")) wish.version_known = parameter == "1.0.0" || parameter == "0.0.1";
  }
  return wish;
}

}  // namespace

MetricsFormat choose_metrics_format(std::string_view accept) noexcept {
  unsigned openmetrics = 0;
  unsigned plain = 0;
  while (!accept.empty()) {
    auto const wish = read_wish(take_until(accept, ','));
    if (iequals(wish.type, "application/openmetrics-text") && wish.version_known)
      openmetrics = std::max(openmetrics, wish.quality);
    if (iequals(wish.type, "text/plain")) plain = std::max(plain, wish.quality);
  }
  return openmetrics != 0 && openmetrics >= plain ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

std::string_view content_type(MetricsFormat format) noexcept {
  return format == MetricsFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace deployd::routing
