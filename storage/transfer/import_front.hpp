// Recognises files that `import` cannot read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::storage {

/// The number of bytes at the beginning of a file that are examined.
inline constexpr std::size_t import_front_bytes = 4096;

/// The name of an import source in suggested commands.
struct InputName {
  std::string name;                // a path, or `-` for standard input
  std::string decompression = {};  // the command that decompresses it, such as `gunzip -c`; empty if it is not
                                   // compressed
};

/// Describes the format of a source by the first bytes of its (decompressed) text, and the command that converts it to
/// an import: for compressed files, UTF-16 and UTF-32, SQLite databases, and JSON whose rows are not named `pattern` or
/// `deployment`. Empty if `ImportParser` may be able to read it.
std::string other_format(std::string_view front, InputName const& name);

}  // namespace deployd::storage
