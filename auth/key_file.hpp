// Files that hold keys.
#pragma once

#include <string>

namespace deployd::auth {

/// The bytes of a file. Throws KeyError naming it when it cannot be read, is a directory, is empty or is larger than
/// 1 MiB.
std::string read_key_file(std::string const& path);

}  // namespace deployd::auth
