#include "server/options/settings.hpp"

#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <system_error>

#include "base/nearest_name.hpp"
#include "server/options/option_table.hpp"

namespace deployd::server {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

/// Returns a variable of the environment; an empty one counts as unset.
std::optional<std::string> variable(std::string const& name) {
  auto const* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// True for the variables that Kubernetes sets in each container for a service called `deployd` or `deployd-...`. They
/// are never meant as an address to listen on.
bool is_of_kubernetes(std::string const& name, std::string_view value) {
  constexpr std::array schemes{"tcp://", "udp://", "sctp://"};
  std::regex const names(".*_SERVICE_(HOST|PORT.*)|.*_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?");
  if (std::regex_match(name, names)) return true;
  return name.ends_with("_PORT") &&
         std::ranges::any_of(schemes, [value](char const* scheme) { return value.starts_with(scheme); });
}

/// Returns a line for each variable DEPLOYD_... that is not empty and that no command reads, with the most similar name
/// if there is one. Shows no values.
std::vector<std::string> complaints_about_variables() {
  std::vector<std::string> known{"DEPLOYD_JWT_SECRET"};
  for (auto const& option : option_table()) known.push_back(environment_name(option.name));
  std::vector<std::string_view> const names(known.begin(), known.end());
  std::vector<std::string> lines;
  for (auto const* const* entry = environ; *entry != nullptr; ++entry) {
    std::string_view const text = *entry;
    std::string const name(text.substr(0, text.find('=')));
    auto const value = text.substr(std::min(name.size() + 1, text.size()));
    if (!name.starts_with("DEPLOYD_") || value.empty()) continue;
    if (std::ranges::find(known, name) != known.end() || is_of_kubernetes(name, value)) continue;
    auto const nearest = base::nearest_name(name, names);
    lines.push_back(fmt::format("{}: there is no such option{}", name,
                                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> split_at_commas(std::string const& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    auto const comma = std::min(text.find(',', start), text.size());
    // Spaces around a comma do not belong to the values.
    auto const first = std::min(text.find_first_not_of(' ', start), comma);
    auto const end = first == comma ? comma : text.find_last_not_of(' ', comma - 1) + 1;
    if (end > first) parts.push_back(text.substr(first, end - first));
    start = comma + 1;
  }
  return parts;
}

std::optional<std::string> scalar_text(toml::node const& node) {
  if (auto const* const text = node.as_string()) return text->get();
  if (auto const* const integer = node.as_integer()) return std::to_string(integer->get());
  if (auto const* const flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

Setting read_key(OptionSpec const& option, toml::node const& node, std::string origin) {
  Setting setting{{}, std::move(origin), false};
  if (auto const* const array = node.as_array()) {
    if (!option.repeatable) Settings::refuse(setting, "takes one value, not an array");
    for (auto const& element : *array) {
      auto text = scalar_text(element);
      if (!text) Settings::refuse(setting, "an element of the array is neither text nor a whole number");
      setting.values.push_back(std::move(*text));
    }
    return setting;
  }
  auto text = scalar_text(node);
  if (!text) Settings::refuse(setting, "is neither text, a whole number, true nor false");
  if (option.argument.empty() && !node.is_boolean()) Settings::refuse(setting, "is neither true nor false");
  setting.values.push_back(std::move(*text));
  return setting;
}

/// Returns the prefix of a path in the values of an option, or nothing if the values contain no path.
std::optional<std::string_view> before_path(OptionSpec const& option) {
  if (option.argument == "FILE" || option.argument == "DIRECTORY") return "";
  if (option.name == "database") return sqlite_scheme;
  if (option.name == "listen" || option.name == "admin-listen") return "unix:";
  return std::nullopt;
}

/// Returns the value of a key of the configuration file. A relative path in it is resolved against the file's
/// directory.
std::string located(OptionSpec const& option, std::string const& value, std::filesystem::path const& directory) {
  auto const scheme = before_path(option);
  if (!scheme || !value.starts_with(*scheme)) return value;
  if (option.name == "jwks" && value.find("://") != value.npos) return value;
  auto const path = std::string_view(value).substr(scheme->size());
  // Values without a path, empty or `:memory:`, are refused later.
  if (path.empty() || path.starts_with(':')) return value;
  return std::string(*scheme) + (directory / path).string();
}

toml::table parse_file(std::string const& path, std::string const& origin) {
  // Otherwise a directory would be read as an empty file.
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    throw ConfigurationError(fmt::format("{}: {}: is a directory", origin, path));
  if (!std::ifstream(path))
    throw ConfigurationError(fmt::format("{}: {}: {}", origin, path, std::generic_category().message(errno)));
  try {
    return toml::parse_file(path);
  } catch (toml::parse_error const& failure) {
    auto const line = failure.source().begin.line;
    if (line == 0) throw ConfigurationError(fmt::format("{}: {}: cannot be read", origin, path));
    throw ConfigurationError(fmt::format("{}:{}: {}", path, line, failure.description()));
  }
}

/// No option accepts an empty text, which is what an unset variable of a script expands to.
void require_text(Setting const& setting) {
  if (std::ranges::find(setting.values, "") != setting.values.end()) Settings::refuse(setting, "is empty");
}

}  // namespace

Settings Settings::gather(Flags flags, unsigned commands) {
  Settings all;
  all.complaints_ = complaints_about_variables();
  for (auto const& option : option_table()) {
    if ((option.commands & commands) == 0) continue;
    std::string const name(option.name);
    if (auto const given = flags.find(name); given != flags.end()) {
      Setting setting{std::move(given->second), "--" + name, true};
      if (!option.repeatable && setting.values.size() > 1) refuse(setting, "is given twice");
      require_text(setting);
      all.settings_.emplace(name, std::move(setting));
    } else if (auto const value = variable(environment_name(name))) {
      Setting setting{{*value}, environment_name(name), false};
      if (option.repeatable) setting.values = split_at_commas(*value);
      if (!setting.values.empty()) all.settings_.emplace(name, std::move(setting));
    }
  }
  auto const* const config = all.find("config");
  if (config == nullptr) return all;
  auto const path = config->values.front();
  auto const directory = std::filesystem::path(path).parent_path();
  for (auto const& [key, node] : parse_file(path, config->origin)) {
    std::string const name(key.str());
    auto origin = fmt::format("{}:{}: {}", path, node.source().begin.line, name);
    auto const* const option = find_option(name);
    if (name == "config") throw ConfigurationError(origin + ": a configuration file cannot name another one");
    if (option == nullptr && node.is_table())
      throw ConfigurationError(origin + ": tables are not allowed; every option is a top-level key");
    if (option == nullptr) {
      auto const nearest = nearest_option(name, ~0U);
      throw ConfigurationError(fmt::format("{}: there is no such option{}", origin,
                                           nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
    }
    auto setting = read_key(*option, node, std::move(origin));
    require_text(setting);
    for (auto& value : setting.values) value = located(*option, value, directory);
    if ((option->commands & commands) != 0 && !setting.values.empty())
      all.settings_.try_emplace(name, std::move(setting));
  }
  return all;
}

Setting const* Settings::find(std::string_view option) const {
  auto const found = settings_.find(option);
  return found == settings_.end() ? nullptr : &found->second;
}

std::string Settings::origin_of(std::string_view option) const {
  auto const* const setting = find(option);
  return setting == nullptr ? fmt::format("--{}", option) : setting->origin;
}

std::string Settings::with_origin(std::string_view message) const {
  auto const is_about = [message](std::string_view subject) {
    return message.starts_with(subject) && message.substr(subject.size()).starts_with(": ");
  };
  for (auto const& [name, setting] : settings_) {
    auto const* const option = find_option(name);
    auto const is_relation = option->argument == "NAME" && name.ends_with("-relation");
    if (name == "config" || (option->argument != "FILE" && !is_relation)) continue;
    for (auto const& value : setting.values)
      if (is_about(is_relation ? "relation " + value : value)) return fmt::format("{}: {}", setting.origin, message);
  }
  if (auto const* const database = find("database")) {
    std::string_view const url = database->values.front();
    // A PostgreSQL URL is shown without its password, so the message does not begin with the value.
    bool const about_database = url.starts_with(sqlite_scheme)
                                    ? is_about(url) || is_about(url.substr(sqlite_scheme.size()))
                                    : message.starts_with("postgresql://") || message.starts_with("postgres://");
    if (about_database) return fmt::format("{}: {}", database->origin, message);
  }
  return std::string(message);
}

std::vector<std::string> Settings::values_of(std::string_view option, std::string_view default_value) const {
  if (auto const* const setting = find(option)) return setting->values;
  if (default_value.empty()) return {};
  return {std::string(default_value)};
}

std::vector<std::string_view> Settings::differences(Settings const& other) const {
  std::vector<std::string_view> names;
  for (auto const& option : option_table())
    if (values_of(option.name, option.default_value) != other.values_of(option.name, option.default_value))
      names.push_back(option.name);
  return names;
}

void Settings::refuse(Setting const& setting, std::string_view why) {
  auto const line = fmt::format("{}: {}", setting.origin, why);
  if (setting.from_flag) throw UsageError(line);
  throw ConfigurationError(line);
}

}  // namespace deployd::server
