#include "server/options/stray_variables.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/nearest_name.hpp"
#include "server/options/option_table.hpp"

namespace deployd::server {
namespace {

constexpr std::string_view prefix = "DEPLOYD_";

// The only variable that does not belong to an option.
constexpr std::string_view secret = "DEPLOYD_JWT_SECRET";

std::vector<std::string> known_names() {
  std::vector<std::string> names{std::string(secret)};
  for (auto const& option : option_table()) names.push_back(environment_name(option.name));
  return names;
}

/// Removes `ending` from `name`. Returns false if it does not end with it.
bool take_off(std::string_view& name, std::string_view ending) noexcept {
  if (!name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  return true;
}

/// True for `_PORT_8080_TCP` at the end of a name, and the endings that may follow it.
bool ends_in_container_port(std::string_view name) noexcept {
  for (auto const ending : {"_PROTO", "_PORT", "_ADDR"})
    if (take_off(name, ending)) break;
  if (!take_off(name, "_TCP") && !take_off(name, "_UDP") && !take_off(name, "_SCTP")) return false;
  auto const digits = name.size() - std::min(name.find_last_not_of("0123456789") + 1, name.size());
  name.remove_suffix(digits);
  return digits != 0 && name.ends_with("_PORT_");
}

/// True for the variables that Kubernetes sets in each container for a service called `deployd` or `deployd-...`. They
/// are never meant as an address to listen on.
bool is_of_kubernetes(std::string_view name, std::string_view value) noexcept {
  constexpr std::array schemes{"tcp://", "udp://", "sctp://"};
  if (name.ends_with("_PORT") &&
      std::ranges::any_of(schemes, [value](char const* scheme) { return value.starts_with(scheme); }))
    return true;
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != name.npos || ends_in_container_port(name);
}

}  // namespace

std::vector<std::string> stray_variables() {
  auto const known = known_names();
  std::vector<std::string_view> const names(known.begin(), known.end());
  std::vector<std::string> lines;
  for (auto const* const* entry = environ; *entry != nullptr; ++entry) {
    std::string_view const text = *entry;
    auto const name = text.substr(0, text.find('='));
    auto const value = text.substr(std::min(name.size() + 1, text.size()));
    if (!name.starts_with(prefix) || value.empty()) continue;
    if (std::ranges::find(known, name) != known.end() || is_of_kubernetes(name, value)) continue;
    auto const nearest = base::nearest_name(name, names);
    lines.push_back(fmt::format("{}: there is no such option{}", name,
                                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
  std::ranges::sort(lines);
  return lines;
}

}  // namespace deployd::server
