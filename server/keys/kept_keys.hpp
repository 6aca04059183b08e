// The last good key set of each location, kept on disk for a start without network.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/keys/key_location.hpp"
#include "server/keys/key_set.hpp"

namespace deployd::server {

struct KeptKeys {
  KeySet set;
  std::chrono::system_clock::time_point fetched;
};

/// Returns the key set kept for a location, or nothing if there is none. Throws std::runtime_error with one line that
/// names the file if it cannot be used: unreadable, damaged, or writable by other users.
std::optional<KeptKeys> read_kept_keys(std::string const& directory, KeyLocation const& location);

/// Replaces the kept key set by one fetched now, completely or not at all. Creates the directory if it is missing. Only
/// the owner can read both. Throws std::system_error.
void keep_keys(std::string const& directory, KeyLocation const& location, std::string const& text);

}  // namespace deployd::server
