#include "server/options/settings.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "server/options/option_table.hpp"

namespace deployd::server {
namespace {

/// A variable of the environment; an empty one counts as unset.
std::optional<std::string> variable(std::string const& name) {
  auto const* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::vector<std::string> split_at_commas(std::string const& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    auto const comma = std::min(text.find(',', start), text.size());
    if (comma > start) parts.push_back(text.substr(start, comma - start));
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
    if (!option.repeatable) Settings::refuse(setting, "takes one value and no array");
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

toml::table parse_file(std::string const& path, std::string const& origin) {
  // Opened like a file, a directory would read as an empty one.
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

/// No option means anything by an empty text: it is what an unset variable of a script leaves.
void require_text(Setting const& setting) {
  if (std::ranges::find(setting.values, "") != setting.values.end()) Settings::refuse(setting, "is empty");
}

}  // namespace

Settings Settings::gather(Flags flags, unsigned commands) {
  Settings all;
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
  for (auto const& [key, node] : parse_file(path, config->origin)) {
    std::string const name(key.str());
    auto origin = fmt::format("{}:{}: {}", path, node.source().begin.line, name);
    auto const* const option = find_option(name);
    if (name == "config") throw ConfigurationError(origin + ": a configuration file cannot name another one");
    if (option == nullptr && node.is_table())
      throw ConfigurationError(origin + ": there are no tables; every option is a key of the top level");
    if (option == nullptr) {
      auto const nearest = nearest_option(name, ~0U);
      throw ConfigurationError(fmt::format("{}: there is no such option{}", origin,
                                           nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
    }
    auto setting = read_key(*option, node, std::move(origin));
    require_text(setting);
    if ((option->commands & commands) != 0 && !setting.values.empty())
      all.settings_.try_emplace(name, std::move(setting));
  }
  return all;
}

Setting const* Settings::find(std::string_view option) const {
  auto const found = settings_.find(option);
  return found == settings_.end() ? nullptr : &found->second;
}

void Settings::refuse(Setting const& setting, std::string_view why) {
  auto const line = fmt::format("{}: {}", setting.origin, why);
  if (setting.from_flag) throw UsageError(line);
  throw ConfigurationError(line);
}

}  // namespace deployd::server
