// Files that hold keys and secrets, and who else can read them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace deployd::auth {

/// A file as it was read.
struct KeyFile {
  std::string path;
  std::string bytes;                 // behind a byte order mark, if there was one
  bool had_byte_order_mark = false;  // in UTF-8
  mode_t mode = 0;                   // its permission bits; 0 for what is no file on a disk, as a pipe
};

/// Reads a file. Throws KeyError naming it when it cannot be read, is a directory, holds nothing but a byte order mark
/// at the most, or is larger than 1 MiB.
KeyFile read_key_file(std::string const& path);

/// What is to be said about a file that holds a secret: a line, if users other than its owner and its group can get at
/// it, or its group can replace it. `secret` is what the line calls it.
std::optional<std::string> exposure_of(KeyFile const& file, std::string_view secret = "this secret");

}  // namespace deployd::auth
