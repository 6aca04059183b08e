// The values from flags, environment and configuration file, in that order of precedence, before they are parsed.
#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/failure.hpp"

namespace deployd::server {

/// The flags of a command line: the values by the option's name.
using Flags = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The values of one option, from the source with the highest precedence.
struct Setting {
  std::vector<std::string> values;
  std::string origin;      // `--listen`, `DEPLOYD_LISTEN` or `deployd.toml:3: listen`
  bool from_flag = false;  // bad values are bad usage, not bad configuration
};

class Settings {
 public:
  /// Reads the environment for the options of `commands` (bits of CommandBit), and the file of --config or
  /// DEPLOYD_CONFIG if there is one. Throws UsageError or ConfigurationError.
  static Settings gather(Flags flags, unsigned commands);

  /// Returns null if the option is not set.
  Setting const* find(std::string_view option) const;

  /// Returns the result of `parse` for the option's only value, or nothing if it is not set. Throws UsageError or
  /// ConfigurationError if `parse` throws std::invalid_argument.
  template <typename Parse>
  auto read(std::string_view option, Parse parse) const -> std::optional<decltype(parse(std::string_view()))> {
    auto const* const setting = find(option);
    if (setting == nullptr) return std::nullopt;
    return understood(*setting, setting->values.front(), parse);
  }

  /// The same for an option that must be set.
  template <typename Parse>
  auto require(std::string_view option, Parse parse) const -> decltype(parse(std::string_view())) {
    auto value = read(option, parse);
    if (!value) throw UsageError(fmt::format("--{} is missing", option));
    return std::move(*value);
  }

  /// The same for each value of a repeatable option; empty if it is not set.
  template <typename Parse>
  auto read_all(std::string_view option, Parse parse) const -> std::vector<decltype(parse(std::string_view()))> {
    std::vector<decltype(parse(std::string_view()))> all;
    if (auto const* const setting = find(option))
      for (auto const& value : setting->values) all.push_back(understood(*setting, value, parse));
    return all;
  }

  /// Throws the error for a bad value of `setting`.
  [[noreturn]] static void refuse(Setting const& setting, std::string_view why);

  /// A line for each variable of the environment that looks like an option but is not one.
  std::vector<std::string> const& complaints() const noexcept { return complaints_; }

  /// Returns the source of an option's value; `--listen` if it is the default.
  std::string origin_of(std::string_view option) const;

  /// Returns `message` with the origin of the value with which it begins (a file, a relation or the database) before
  /// it. Unchanged if it already begins with an origin, or with something else.
  std::string with_origin(std::string_view message) const;

  /// Returns the names of the options whose values differ from those of `other`, in the order of the option table.
  /// Setting an option to its default is not a difference.
  std::vector<std::string_view> differences(Settings const& other) const;

 private:
  template <typename Parse>
  static auto understood(Setting const& setting, std::string const& value, Parse const& parse) {
    try {
      return parse(std::string_view(value));
    } catch (std::invalid_argument const& failure) {
      refuse(setting, failure.what());
    }
  }

  std::vector<std::string> values_of(std::string_view option, std::string_view default_value) const;

  std::map<std::string, Setting, std::less<>> settings_;
  std::vector<std::string> complaints_;
};

/// For `Settings::read`: accepts any text.
inline std::string as_text(std::string_view text) {
  return std::string(text);
}

/// For `Settings::read`: parses one of a few words to its value.
template <typename T>
auto one_of(std::vector<std::pair<std::string_view, T>> words) {
  return [words = std::move(words)](std::string_view text) {
    std::string known;
    for (auto const& [word, value] : words) {
      if (word == text) return value;
      known += known.empty() ? "" : ", ";
      known += word;
    }
    throw std::invalid_argument(fmt::format("'{}' is none of {}", text, known));
  };
}

}  // namespace deployd::server
