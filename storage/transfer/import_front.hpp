// Telling what a file is that is not what `import` reads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::storage {

/// How much of a file's beginning is looked at.
inline constexpr std::size_t import_front_bytes = 4096;

/// A source of an import, as commands name it.
struct InputName {
  std::string name;                // a path, or `-` for standard input
  std::string decompression = {};  // the command that decompresses it, as `gunzip -c`; empty: it is not compressed
};

/// What a source is, going by the first bytes of its (decompressed) text, and the command that makes an import of it:
/// for compressed files, UTF-16 and UTF-32, SQLite databases, and JSON whose rows are not named `pattern` or
/// `deployment`. Empty when it may be what `ImportParser` reads.
std::string other_format(std::string_view front, InputName const& name);

}  // namespace deployd::storage
