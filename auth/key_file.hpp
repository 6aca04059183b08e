// Reads files that contain keys and secrets, and checks their permissions.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace deployd::auth {

/// The content of a key file, and how it is stored.
struct KeyFile {
  std::string path;
  std::string bytes;                 // without the byte order mark
  bool had_byte_order_mark = false;  // true if the file began with the mark in UTF-8
  mode_t mode = 0;                   // permission bits; 0 unless it is a regular file (for example a pipe)
};

/// Reads a file. Throws KeyError naming it if it cannot be read, is a directory, is empty (apart from a byte order
/// mark), or is larger than 1 MiB.
KeyFile read_key_file(std::string const& path);

/// Returns a warning if users other than the owner and the group can access a file that contains a secret, or if its
/// group can replace it. `secret` is how the line names the secret.
std::optional<std::string> exposure_of(KeyFile const& file, std::string_view secret = "this secret");

}  // namespace deployd::auth
