// When a mirror was last renewed, recorded for `deployd serve` on the same machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace deployd::server {

struct MirrorRecord {
  std::string source;                          // its URL
  std::chrono::sys_seconds last_success = {};  // of the last good round; the epoch if there was none
};

/// Reads the record in a directory; nothing if there is none, or it cannot be read.
std::optional<MirrorRecord> read_mirror_record(std::string const& directory);

/// Replaces the record, and creates the directory if it is missing. Throws std::system_error naming the file.
void write_mirror_record(std::string const& directory, MirrorRecord const& record);

}  // namespace deployd::server
