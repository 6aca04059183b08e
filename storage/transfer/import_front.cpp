#include "storage/transfer/import_front.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace deployd::storage {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Returns a word for a shell command, quoted if necessary.
std::string shell_word(std::string word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@";
  if (std::ranges::any_of(word, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) return "FILE";
  if (word.find_first_not_of(plain) == word.npos) return word;
  for (auto at = word.find('\''); at != word.npos; at = word.find('\'', at + 4)) word.replace(at, 1, "'\\''");
  return "'" + word + "'";
}

/// Returns a file's name after a space; empty for standard input, which commands read by default.
std::string as_argument(std::string const& name) {
  if (name == "-") return "";
  return " " + shell_word(name.starts_with('-') ? "./" + name : name);
}

/// The same for a command that reads the text: empty after a command that decompresses it.
std::string text_argument(InputName const& name) {
  return name.decompression.empty() ? as_argument(name.name) : "";
}

std::string with_command(std::string_view what, std::string const& command, InputName const& name) {
  auto const decompressed = name.decompression.empty() ? "" : name.decompression + as_argument(name.name) + " | ";
  return std::string(what) + "; try: " + decompressed + command + " | deployd import -";
}

// --- Bytes ----------------------------------------------------------------------------------------------------------

struct Signature {
  std::string_view bytes;
  std::string_view what;
  std::string_view command;
};

using namespace std::string_view_literals;

constexpr std::array signatures{
    // gzip and zstd files are decompressed, so here they are found inside the decompressed text.
    Signature{"\x1F\x8B"sv, "compressed twice", "gunzip -c"},
    Signature{"\x28\xB5\x2F\xFD"sv, "compressed twice", "zstd -dc"},
    Signature{"\xFD"
              "7zXZ\0"sv,
              "compressed with xz", "xz -dc"},
    Signature{"BZh"sv, "compressed with bzip2", "bzip2 -dc"},
    Signature{"\x04\x22\x4D\x18"sv, "compressed with lz4", "lz4 -dc"},
    Signature{"PK\x03\x04"sv, "a zip archive", "unzip -p"},
    Signature{"PK\x05\x06"sv, "an empty zip archive", "unzip -p"},
    // The longer signatures first.
    Signature{"\xFF\xFE\0\0"sv, "UTF-32 and not UTF-8", "iconv -f UTF-32LE -t UTF-8"},
    Signature{"\0\0\xFE\xFF"sv, "UTF-32 and not UTF-8", "iconv -f UTF-32BE -t UTF-8"},
    Signature{"\xFF\xFE"sv, "UTF-16 and not UTF-8", "iconv -f UTF-16LE -t UTF-8"},
    Signature{"\xFE\xFF"sv, "UTF-16 and not UTF-8", "iconv -f UTF-16BE -t UTF-8"},
};

/// Returns the encoding of a text without a byte order mark that begins with two ASCII characters (RFC 4627, 3).
std::optional<std::string_view> wide_encoding(std::string_view front) {
  auto const is_null = [front](std::size_t at) { return at < front.size() && front[at] == '\0'; };
  if (front.size() < 2 || (is_null(0) && is_null(1) && !(is_null(2) && front.size() > 3 && !is_null(3))))
    return std::nullopt;
  if (is_null(0)) return is_null(1) ? "UTF-32BE" : "UTF-16BE";
  if (!is_null(1)) return std::nullopt;
  return is_null(2) && is_null(3) ? "UTF-32LE" : "UTF-16LE";
}

/// True for the zip archives that spreadsheet programs write: OOXML and OpenDocument.
bool is_workbook(std::string_view front) {
  constexpr std::array marks{"[Content_Types].xml"sv, "xl/"sv, "application/vnd.oasis.opendocument.spreadsheet"sv};
  return front.starts_with("PK\x03\x04"sv) &&
         std::ranges::any_of(marks, [front](std::string_view mark) { return front.find(mark) != front.npos; });
}

std::string other_bytes(std::string_view front, InputName const& name) {
  if (is_workbook(front)) return "a workbook of a spreadsheet program; save its sheets as CSV in UTF-8";
  for (auto const& signature : signatures)
    if (front.starts_with(signature.bytes))
      return with_command(signature.what, std::string(signature.command) + text_argument(name), name);
  if (front.starts_with("SQLite format 3\0"sv)) {
    bool const readable = name.name != "-" && name.decompression.empty();
    auto const database = readable ? shell_word("sqlite:" + name.name) : "sqlite:FILE";
    return with_command("a SQLite database", "deployd export --database " + database, {.name = "-"});
  }
  auto const encoding = wide_encoding(front);
  if (!encoding) return "";
  return with_command(std::string(encoding->substr(0, 6)) + " and not UTF-8",
                      "iconv -f " + std::string(*encoding) + " -t UTF-8" + text_argument(name), name);
}

// --- JSON -----------------------------------------------------------------------------------------------------------

/// True if the text contains a member `name`.
bool has_member(std::string_view text, std::string_view name) {
  auto const quoted = '"' + std::string(name) + '"';
  for (auto at = text.find(quoted); at != text.npos; at = text.find(quoted, at + 1)) {
    auto const next = text.find_first_not_of(blanks, at + quoted.size());
    if (next != text.npos && text[next] == ':') return true;
  }
  return false;
}

/// Returns `pattern` or `deployment` for a row that does not state its kind.
std::string kind_of_row(std::string_view row) {
  return has_member(row, "pattern_id") ? "deployment" : "pattern";
}

// Commands that keep numbers exact are suggested before jq, which before version 1.7 rounds numbers above 2^53. After a
// byte order mark only jq works.

/// `[{...},...]`
std::string bare_array(std::string_view text, bool marked, InputName const& name) {
  auto const row = text.substr(0, text.find('}'));
  if (has_member(row, "pattern") || has_member(row, "deployment"))
    return with_command("an array around the rows", "jq -c '.[]'" + text_argument(name), name);
  constexpr auto what = "an array of rows without the name of what they are";
  if (marked) return with_command(what, "jq '{" + kind_of_row(row) + "s:.}'" + text_argument(name), name);
  return with_command(what, "(printf '{\"" + kind_of_row(row) + "s\":'; cat" + text_argument(name) + "; printf '}')",
                      name);
}

/// `{"id":1,...}`
std::string flat_rows(std::string_view text, bool marked, InputName const& name) {
  constexpr std::array members{R"("id")", R"("name")", R"("pattern_id")"};
  auto const first = text.find_first_not_of(blanks, 1);
  if (first == text.npos) return "";
  auto const key = text.substr(first);
  if (std::ranges::none_of(members, [key](std::string_view member) { return key.starts_with(member); })) return "";
  auto const row = text.substr(0, text.find('}'));
  auto const kind = kind_of_row(row);
  auto const what = "rows without the name of what they are, as in {\"" + kind + "\":{\"id\":1,...}}";
  if (marked || row.find('\n') != row.npos)
    return with_command(what, "jq -c '{" + kind + ":.}'" + text_argument(name), name);
  return with_command(what, "sed 's/..*/{\"" + kind + "\":&}/'" + text_argument(name), name);
}

}  // namespace

std::string other_format(std::string_view front, InputName const& name) {
  if (auto found = other_bytes(front, name); !found.empty()) return found;
  bool const marked = front.starts_with("\xEF\xBB\xBF");
  if (marked) front.remove_prefix(3);
  front.remove_prefix(std::min(front.find_first_not_of(blanks), front.size()));
  if (front.empty()) return "";
  if (front.front() == '[') return bare_array(front, marked, name);
  return front.front() == '{' ? flat_rows(front, marked, name) : "";
}

}  // namespace deployd::storage
