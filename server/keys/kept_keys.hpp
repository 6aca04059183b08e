// The last good key set of each location, kept on disk for a start without network.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/keys/key_location.hpp"

namespace deployd::server {

struct KeptKeys {
  std::string text;  // the key set
  std::chrono::system_clock::time_point fetched;
};

/// Returns the path of the file in `directory` that keeps the key set of a location.
std::string kept_file(std::string const& directory, KeyLocation const& location);

/// Returns the key set kept for a location, or nothing if there is none. Throws std::runtime_error with one line that
/// names the file if it cannot be used: unreadable, damaged, of another location, or writable by other users.
std::optional<KeptKeys> read_kept_keys(std::string const& directory, KeyLocation const& location);

/// Replaces the kept key set, completely or not at all. Creates the directory if it is missing. Only the owner can read
/// both. Throws std::system_error.
void keep_keys(std::string const& directory, KeyLocation const& location, KeptKeys const& keys);

/// Notes that the kept key set was still current at `now`. Ignores failures.
void touch_kept_keys(std::string const& directory, KeyLocation const& location,
                     std::chrono::system_clock::time_point now) noexcept;

}  // namespace deployd::server
