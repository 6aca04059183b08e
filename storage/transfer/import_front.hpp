// Telling what a file is that is not what `import` reads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::storage {

/// How much of a file's beginning is looked at.
inline constexpr std::size_t import_front_bytes = 4096;

/// What the file `name` (`-`: standard input) is, going by its first bytes, and the command or the line that makes an
/// import of it: for compressed files, UTF-16 and UTF-32, SQLite databases, CSV, and JSON whose rows are not named
/// `pattern` or `deployment`. Empty when it may be what `ImportParser` reads.
std::string other_format(std::string_view front, std::string const& name);

}  // namespace deployd::storage
