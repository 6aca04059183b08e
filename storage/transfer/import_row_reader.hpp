// Converts the events of a JSON parser to the rows of an import.
#pragma once

#include <boost/json/error.hpp>
#include <boost/json/string_view.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// The handler of a boost::json::basic_parser, whose documentation describes the events. An event returns false if the
/// text is not a valid import; `refusal` then gives the reason. Exceptions of the target pass through.
class RowReader {
 public:
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = std::size_t{1} << 20;
  static constexpr std::size_t max_key_size = 256;

  RowReader(std::uint32_t source, ImportRows& rows) : rows_(rows), place_{source, 1} {}

  /// Sets the line of the following events.
  void begin_line(std::uint64_t line) noexcept { place_.line = line; }
  /// Starts the next document of the same source, in the same format.
  void begin_document() noexcept;

  /// True if the source is NDJSON. Known after the first member.
  bool by_lines() const noexcept { return format_ == Format::lines; }
  RowPlace place() const noexcept { return place_; }
  /// Describes the row read last; empty if there is none.
  std::string last_row() const;

  struct Refusal {
    RowPlace place;
    std::string reason;
  };
  /// Returns why the last event failed.
  std::optional<Refusal> const& refusal() const noexcept { return refusal_; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code);
  bool on_object_end(std::size_t, Code& code);
  bool on_array_begin(Code& code);
  bool on_array_end(std::size_t, Code& code);
  bool on_key_part(Text part, std::size_t, Code&);
  bool on_key(Text part, std::size_t, Code& code);
  bool on_string_part(Text part, std::size_t, Code& code);
  bool on_string(Text part, std::size_t, Code& code);
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t value, Text, Code& code);
  bool on_uint64(std::uint64_t, Text, Code& code) { return refuse_number(code); }
  bool on_double(double, Text, Code& code) { return refuse_number(code); }
  bool on_bool(bool, Code& code) { return refuse_value(code, "a truth value"); }
  bool on_null(Code& code) { return refuse_value(code, "null"); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  enum class Format { unknown, whole, lines };
  enum class Kind { pattern, deployment };

  /// The nesting level of the parser.
  enum class Level {
    nothing,   // before or after a document
    document,  // in its object
    rows,      // in the array of `patterns` or `deployments`
    row,       // in the object of a pattern or a deployment
  };

  static char const* name_of(Kind kind) noexcept;
  std::string row_name() const;

  bool begin_document_member(Code& code);
  bool begin_rows_member(Code& code, bool patterns);
  bool begin_row_member(Code& code);
  void begin_row();
  bool end_row(Code& code);
  bool add_to_name(Code& code, Text part);

  bool refuse(Code& code, std::uint64_t line, std::string reason);
  bool refuse(Code& code, std::string reason) { return refuse(code, place_.line, std::move(reason)); }
  /// Refuses a value of the wrong type; `found` names the type.
  bool refuse_value(Code& code, std::string const& found);
  bool refuse_number(Code& code);

  ImportRows& rows_;
  RowPlace place_;
  Format format_ = Format::unknown;
  Level level_ = Level::nothing;
  bool patterns_seen_ = false;
  bool deployments_seen_ = false;
  bool row_seen_ = false;  // in this line of NDJSON
  std::string member_;     // the name of the member whose value is being read
  std::string key_;        // the name of a member, as far as it has been read

  Kind kind_ = Kind::pattern;
  std::uint64_t row_line_ = 0;
  std::optional<std::int64_t> id_;
  std::optional<std::int64_t> pattern_id_;
  std::string name_;
  bool name_seen_ = false;

  std::optional<std::int64_t> last_id_;
  Kind last_kind_ = Kind::pattern;
  std::optional<Refusal> refusal_;
};

}  // namespace deployd::storage
