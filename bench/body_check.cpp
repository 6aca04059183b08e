#include "bench/body_check.hpp"

#include <xxhash.h>
#include <boost/json/basic_parser_impl.hpp>

namespace deployd::bench {
namespace {

constexpr std::size_t remembered = std::size_t{1} << 15;
constexpr std::size_t collected_at_most = std::size_t{8} << 20;

// A handler for Boost.JSON's parser that ignores all values: only validity matters here.
struct IgnoreValues {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Error = boost::json::error_code;
  using Text = boost::json::string_view;
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t, Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(Text, std::size_t, Error&) { return true; }
  bool on_key(Text, std::size_t, Error&) { return true; }
  bool on_string_part(Text, std::size_t, Error&) { return true; }
  bool on_string(Text, std::size_t, Error&) { return true; }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text, Error&) { return true; }
  bool on_uint64(std::uint64_t, Text, Error&) { return true; }
  bool on_double(double, Text, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }
};

class JsonCheck {
 public:
  void write(std::string_view piece) {
    if (failed_ || piece.empty()) return;
    boost::json::error_code error;
    auto const parsed = parser_.write_some(true, piece.data(), piece.size(), error);
    if (!error && parsed < piece.size()) {
      // The document has ended: only white space may follow.
      failed_ = piece.find_first_not_of(" \t\r\n", parsed) != std::string_view::npos;
    } else if (error) {
      failed_ = true;
    }
  }

  bool finish() {
    if (failed_) return false;
    boost::json::error_code error;
    parser_.write_some(false, nullptr, 0, error);
    return !error && parser_.done();
  }

 private:
  boost::json::basic_parser<IgnoreValues> parser_{boost::json::parse_options()};
  bool failed_ = false;
};

}  // namespace

BodyCheck::BodyCheck(std::optional<std::string> const& expected) : expected_(expected), parsed_(remembered) {}

std::optional<Failure> BodyCheck::whole(std::string_view body, bool json) {
  if (expected_ && body != *expected_) return Failure::body;
  if (!json) return {};
  auto const hash = XXH3_128bits(body.data(), body.size());
  auto& slot = parsed_[hash.low64 % remembered];
  if (slot.low == hash.low64 && slot.high == hash.high64) return {};
  JsonCheck parser;
  parser.write(body);
  if (!parser.finish()) return Failure::json;
  slot = {hash.low64, hash.high64};
  return {};
}

struct PiecewiseBodyCheck::Stream {
  JsonCheck json;
  std::size_t size = 0;
  bool as_expected = true;
};

PiecewiseBodyCheck::PiecewiseBodyCheck() = default;
PiecewiseBodyCheck::~PiecewiseBodyCheck() = default;

void PiecewiseBodyCheck::begin(bool json) {
  json_ = json;
  collected_.clear();
  stream_.reset();
}

void PiecewiseBodyCheck::add(std::string_view piece, BodyCheck& check) {
  if (!stream_) {
    if (collected_.size() + piece.size() <= collected_at_most) {
      collected_ += piece;
      return;
    }
    stream_ = std::make_unique<Stream>();
    stream(collected_, check);
    collected_ = std::string();
  }
  stream(piece, check);
}

void PiecewiseBodyCheck::stream(std::string_view piece, BodyCheck const& check) {
  if (json_) stream_->json.write(piece);
  if (auto const& expected = check.expected(); expected && stream_->as_expected)
    stream_->as_expected = stream_->size + piece.size() <= expected->size() &&
                           std::string_view(*expected).substr(stream_->size, piece.size()) == piece;
  stream_->size += piece.size();
}

std::optional<Failure> PiecewiseBodyCheck::finish(BodyCheck& check) {
  if (!stream_) return check.whole(collected_, json_);
  auto const done = std::move(stream_);
  if (check.expected() && (!done->as_expected || done->size != check.expected()->size())) return Failure::body;
  if (json_ && !done->json.finish()) return Failure::json;
  return {};
}

}  // namespace deployd::bench
