// Where keys are fetched from, and how often.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/fetch/url.hpp"

namespace deployd::server {

/// The URL of a key set, or of an issuer whose discovery document names it.
struct KeyLocation {
  Url url;
  std::optional<std::string> issuer = {};  // as it is configured, byte for byte

  bool operator==(KeyLocation const&) const = default;
};

/// Returns the name of the location in log lines and metrics: the issuer, or the URL without its query.
inline std::string name_of(KeyLocation const& location) {
  return location.issuer ? *location.issuer : shown(location.url);
}

struct KeySourceOptions {
  std::vector<KeyLocation> locations = {};
  std::chrono::milliseconds refresh = std::chrono::minutes(5);
  std::optional<std::string> ca_file = {};          // unset: the system's authorities
  std::optional<std::string> state_directory = {};  // unset: nothing is kept on disk; created when needed
};

}  // namespace deployd::server
