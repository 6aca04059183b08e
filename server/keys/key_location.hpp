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
std::string name_of(KeyLocation const& location);

/// Returns the URL of the discovery document of an issuer (OpenID Connect Discovery 1.0 §4).
Url discovery_url(Url const& issuer);

/// True for a URL that keys may come from: https, or http with a loopback address.
bool may_bring_keys(Url const& url);

struct KeySourceOptions {
  std::vector<KeyLocation> locations = {};
  std::chrono::milliseconds refresh = std::chrono::minutes(5);
  std::optional<std::string> ca_file = {};          // unset: the system's authorities
  std::optional<std::string> state_directory = {};  // unset: nothing is kept on disk; created when needed
};

}  // namespace deployd::server
