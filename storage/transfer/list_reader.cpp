#include "storage/transfer/list_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "storage/error.hpp"
#include "storage/transfer/import_format.hpp"
#include "storage/transfer/json_text.hpp"

namespace deployd::storage {
namespace {

// Deeper values can only be in members that are skipped.
constexpr std::size_t max_depth = 32;

/// The handler of a boost::json::basic_parser, whose documentation describes the events.
class ListHandler {
 public:
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = std::size_t{1} << 20;
  static constexpr std::size_t max_key_size = 4096;

  ListHandler(ListKind kind, ListRows& rows) : kind_(kind), rows_(rows) {}

  /// Returns why the last event failed; empty if the parser found the error.
  std::string const& refusal() const noexcept { return refusal_; }

  /// Describes the row read last; empty if there is none.
  std::string last_row() const { return last_id_ ? kind_name() + " " + std::to_string(*last_id_) : ""; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }

  bool on_array_begin(Code& code) {
    if (skips()) return begin_nested();
    if (level_ != Level::nothing) return refuse_value(code, "an array");
    level_ = Level::list;
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    if (nested_ > 0) return end_nested();
    level_ = Level::nothing;
    return true;
  }

  bool on_object_begin(Code& code) {
    if (skips()) return begin_nested();
    if (level_ != Level::list) return refuse_value(code, "an object");
    level_ = Level::row;
    member_ = Member::name;
    id_.reset();
    pattern_id_.reset();
    name_.clear();
    name_seen_ = false;
    return true;
  }
  bool on_object_end(std::size_t, Code& code) {
    if (nested_ > 0) return end_nested();
    char const* missing = nullptr;
    if (!name_seen_) missing = "name";
    if (kind_ == ListKind::deployments && !pattern_id_) missing = "pattern_id";
    if (!id_) missing = "id";
    if (missing != nullptr) return refuse(code, row_name() + ": no \"" + missing + '"');
    if (kind_ == ListKind::patterns)
      rows_.pattern(*id_, name_);
    else
      rows_.deployment(*id_, *pattern_id_, name_);
    last_id_ = std::exchange(id_, std::nullopt);
    level_ = Level::list;
    return true;
  }

  bool on_key_part(Text part, std::size_t, Code&) {
    if (nested_ == 0) key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code& code) {
    if (nested_ > 0) return true;
    key_.append(part.data(), part.size());
    auto const key = std::exchange(key_, {});
    member_ = member_of(key);
    bool const seen = (member_ == Member::id && id_) || (member_ == Member::pattern_id && pattern_id_) ||
                      (member_ == Member::name && std::exchange(name_seen_, true));
    return seen ? refuse(code, row_name() + ": a second \"" + key + '"') : true;
  }

  bool on_string_part(Text part, std::size_t, Code& code) { return add_to_name(code, part); }
  bool on_string(Text part, std::size_t, Code& code) {
    if (!add_to_name(code, part)) return false;
    if (!skips() && name_.find('\0') != name_.npos)
      return refuse(code, row_name() + ": \"name\" holds U+0000, which is not stored");
    return true;
  }

  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t value, Text, Code& code) {
    if (skips()) return true;
    if (level_ != Level::row || member_ == Member::name) return refuse_value(code, "a number");
    (member_ == Member::id ? id_ : pattern_id_) = value;
    return true;
  }
  bool on_uint64(std::uint64_t, Text, Code& code) { return refuse_number(code); }
  bool on_double(double, Text, Code& code) { return refuse_number(code); }
  bool on_bool(bool, Code& code) { return skips() || refuse_value(code, "a truth value"); }
  bool on_null(Code& code) { return skips() || refuse_value(code, "null"); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  enum class Level { nothing, list, row };
  enum class Member { id, pattern_id, name, unknown };

  Member member_of(std::string_view key) const noexcept {
    if (key == "id") return Member::id;
    if (key == "name") return Member::name;
    if (key == "pattern_id" && kind_ == ListKind::deployments) return Member::pattern_id;
    return Member::unknown;
  }
  static char const* name_of(Member member) noexcept {
    switch (member) {
      case Member::id: return "id";
      case Member::pattern_id: return "pattern_id";
      default: return "name";
    }
  }

  std::string kind_name() const { return kind_ == ListKind::patterns ? "pattern" : "deployment"; }
  std::string row_name() const { return id_ ? kind_name() + " " + std::to_string(*id_) : "a " + kind_name(); }

  /// True in the value of a member that does not matter.
  bool skips() const noexcept { return level_ == Level::row && member_ == Member::unknown; }
  bool begin_nested() noexcept {
    ++nested_;
    return true;
  }
  bool end_nested() noexcept {
    --nested_;
    return true;
  }

  bool add_to_name(Code& code, Text part) {
    if (skips()) return true;
    if (level_ != Level::row || member_ != Member::name) return refuse_value(code, "a string");
    name_.append(part.data(), part.size());
    return true;
  }

  bool refuse(Code& code, std::string reason) {
    refusal_ = std::move(reason);
    code = make_error_code(errc::bad_input);
    return false;
  }

  /// Refuses a value of the wrong type; `found` names the type.
  bool refuse_value(Code& code, std::string const& found) {
    switch (level_) {
      case Level::nothing: return refuse(code, found + " instead of an array of " + kind_name() + "s");
      case Level::list: return refuse(code, "a " + kind_name() + " is " + found + " and not an object");
      case Level::row: break;
    }
    return refuse(code, row_name() + ": \"" + name_of(member_) + "\" is " + found + " and not " +
                            (member_ == Member::name ? "a string" : "an integer of 64 bits"));
  }
  bool refuse_number(Code& code) {
    if (skips()) return true;
    if (level_ != Level::row || member_ == Member::name) return refuse_value(code, "a number");
    return refuse(code, row_name() + ": \"" + name_of(member_) + "\" is not an integer of 64 bits");
  }

  ListKind kind_;
  ListRows& rows_;
  Level level_ = Level::nothing;
  Member member_ = Member::name;
  std::size_t nested_ = 0;  // arrays and objects in the member that is skipped
  std::string key_;
  std::optional<std::int64_t> id_;
  std::optional<std::int64_t> pattern_id_;
  std::string name_;
  bool name_seen_ = false;
  std::optional<std::int64_t> last_id_;
  std::string refusal_;
};

}  // namespace

class ListReader::Text {
 public:
  Text(ListKind kind, ListRows& rows) : parser_(strict_json(max_depth), kind, rows) {}

  void read(std::string_view piece) {
    boost::json::error_code failure;
    std::size_t parsed = 0;
    if (!parser_.done()) parsed = parser_.write_some(true, piece.data(), piece.size(), failure);
    if (failure) refuse(failure);
    piece.remove_prefix(parsed);
    if (!std::all_of(piece.begin(), piece.end(), is_blank))
      throw Error(errc::bad_input, "there is more after the end of the JSON");
  }

  void finish() {
    boost::json::error_code failure;
    if (!parser_.done()) parser_.write_some(false, "", 0, failure);
    if (failure) refuse(failure);
  }

 private:
  [[noreturn]] void refuse(boost::json::error_code failure) {
    auto const& handler = parser_.handler();
    auto reason = handler.refusal().empty() ? describe_json_error(failure, "a text") : handler.refusal();
    if (auto const last = handler.last_row(); !last.empty()) reason += " (behind " + last + ")";
    throw Error(errc::bad_input, reason);
  }

  boost::json::basic_parser<ListHandler> parser_;
};

ListReader::ListReader(ListKind kind, ListRows& rows) : text_(std::make_unique<Text>(kind, rows)) {}

ListReader::~ListReader() = default;

void ListReader::read(std::string_view piece) {
  if (!piece.empty()) text_->read(piece);
}

void ListReader::finish() {
  text_->finish();
}

}  // namespace deployd::storage
