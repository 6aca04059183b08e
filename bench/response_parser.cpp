#include "bench/response_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace deployd::bench {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equals(std::string_view text, std::string_view lowered) noexcept {
  return text.size() == lowered.size() &&
         std::equal(text.begin(), text.end(), lowered.begin(), [](char a, char b) { return lower(a) == b; });
}

bool contains_token(std::string_view list, std::string_view lowered) noexcept {
  auto const found = std::search(list.begin(), list.end(), lowered.begin(), lowered.end(),
                                 [](char a, char b) { return lower(a) == b; });
  return found != list.end();
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_json(std::string_view type) noexcept {
  auto const essence = trimmed(type.substr(0, type.find(';')));
  return equals(essence, "application/json") ||
         (essence.size() > 5 && equals(essence.substr(essence.size() - 5), "+json"));
}

// Parses "HTTP/1.x NNN". The version decides the default of keep-alive.
bool parse_status_line(std::string_view line, ResponseHead& head) noexcept {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  head.keep_alive = line[7] != '0';
  auto const [end, error] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
  return error == std::errc() && end == line.data() + 12 && head.status >= 100;
}

bool parse_field(std::string_view name, std::string_view value, ResponseHead& head) noexcept {
  // The length is compared first: most fields are skipped without being read.
  switch (name.size()) {
    case 10:
      if (equals(name, "connection")) {
        if (contains_token(value, "close")) head.keep_alive = false;
        if (contains_token(value, "keep-alive")) head.keep_alive = true;
      }
      return true;
    case 12:
      if (equals(name, "content-type")) head.json = is_json(value);
      return true;
    case 14:
      if (equals(name, "content-length")) {
        auto const end = value.data() + value.size();
        auto const [at, error] = std::from_chars(value.data(), end, head.content_length);
        if (error != std::errc() || at != end) return false;
        if (head.framing != Framing::chunked) head.framing = Framing::length;
      }
      return true;
    case 16:
      if (equals(name, "content-encoding")) head.coded = !equals(value, "identity");
      return true;
    case 17:
      if (equals(name, "transfer-encoding")) {
        if (!contains_token(value, "chunked")) return false;
        head.framing = Framing::chunked;
      }
      return true;
    default: return true;
  }
}

}  // namespace

ParseResult parse_head(std::string_view bytes, ResponseHead& head) noexcept {
  head = ResponseHead();
  std::size_t at = 0;
  for (bool first = true;; first = false) {
    auto const* const newline = static_cast<char const*>(std::memchr(bytes.data() + at, '\n', bytes.size() - at));
    if (newline == nullptr) return ParseResult::incomplete;
    auto const next = static_cast<std::size_t>(newline - bytes.data()) + 1;
    auto line = bytes.substr(at, next - at - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = next;
    if (first) {
      if (!parse_status_line(line, head)) return ParseResult::malformed;
      continue;
    }
    if (line.empty()) break;
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) return ParseResult::malformed;
    if (!parse_field(line.substr(0, colon), trimmed(line.substr(colon + 1)), head)) return ParseResult::malformed;
  }
  head.size = at;
  if (head.status < 200 || head.status == 204 || head.status == 304) {
    head.framing = Framing::length;
    head.content_length = 0;
    head.json = false;
  }
  if (head.coded) head.json = false;
  if (head.framing == Framing::until_close) head.keep_alive = false;
  return ParseResult::complete;
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view bytes) noexcept {
  if (state_ == State::data) {
    auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= size;
    if (left_ == 0) state_ = State::data_end;
    return {ParseResult::incomplete, size, bytes.substr(0, size)};
  }
  auto const newline = bytes.find('\n');
  if (newline == std::string_view::npos) return {ParseResult::incomplete, 0, {}};
  auto line = bytes.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto const consumed = newline + 1;
  switch (state_) {
    case State::size: {
      auto const size = trimmed(line.substr(0, line.find(';')));
      auto const end = size.data() + size.size();
      auto const [at, error] = std::from_chars(size.data(), end, left_, 16);
      if (error != std::errc() || at != end) return {ParseResult::malformed, 0, {}};
      state_ = left_ == 0 ? State::trailer : State::data;
      return {ParseResult::incomplete, consumed, {}};
    }
    case State::data_end:
      if (!line.empty()) return {ParseResult::malformed, 0, {}};
      state_ = State::size;
      return {ParseResult::incomplete, consumed, {}};
    case State::trailer:
      if (!line.empty()) return {ParseResult::incomplete, consumed, {}};
      reset();
      return {ParseResult::complete, consumed, {}};
    case State::data: break;
  }
  return {ParseResult::malformed, 0, {}};
}

}  // namespace deployd::bench
