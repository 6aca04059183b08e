#include "server/log/redaction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deployd::server {
namespace {

constexpr std::string_view replacement = "[redacted]";
constexpr auto nowhere = std::string_view::npos;

// Shorter texts are words that happen to begin like a token.
constexpr std::size_t shortest_token = 20;
constexpr std::size_t shortest_jwt_part = 8;

constexpr unsigned no_digit = 0xFF;

constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

unsigned hex_value(char c) noexcept {
  return hex_values[static_cast<unsigned char>(c)];
}

/// True if a token starts with the last digit of a possible percent escape, as in `%2dpd_`. That is not treated as an
/// escape, so that the token is found in the text as it is.
bool hides_token(std::string_view from_last_digit) noexcept {
  return from_last_digit.starts_with("dpd_") || from_last_digit.starts_with("eyJ");
}

/// A text whose percent escapes are decoded, repeatedly if it is encoded repeatedly: `%2565` is an `e`.
class Decoded {
 public:
  explicit Decoded(std::string_view text) : text_(text) {
    if (text.find('%') == nowhere) return;
    characters_.reserve(text.size());
    origins_.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '%') {
        auto const plain = text.substr(at, text.find('%', at) - at);
        characters_ += plain;
        for (auto const end = at + plain.size(); at < end; ++at)
          origins_.push_back({static_cast<std::uint32_t>(at), 0});
        continue;
      }
      Origin origin{.begin = static_cast<std::uint32_t>(at++), .depth = 0};
      char character = text[origin.begin];
      for (; character == '%' && text.size() - at >= 2; at += 2, ++origin.depth) {
        auto const high = hex_value(text[at]);
        auto const low = hex_value(text[at + 1]);
        if (high == no_digit || low == no_digit || hides_token(text.substr(at + 1))) break;
        character = static_cast<char>(high << 4 | low);
      }
      characters_ += character;
      origins_.push_back(origin);
    }
  }

  std::string_view characters() const noexcept { return origins_.empty() ? text_ : characters_; }

  /// Returns where the character at `at` begins in the text; its end for the position after the last one.
  std::size_t begin_of(std::size_t at) const noexcept {
    if (origins_.empty()) return at;
    return at < origins_.size() ? origins_[at].begin : text_.size();
  }

  /// Returns how often the character at `at` is percent-encoded: 0 for plain, 1 for `%XX`, 2 for `%25XX`.
  std::size_t depth_of(std::size_t at) const noexcept { return origins_.empty() ? 0 : origins_[at].depth; }

 private:
  struct Origin {
    std::uint32_t begin;
    std::uint32_t depth;
  };

  std::string_view text_;
  std::string characters_;
  std::vector<Origin> origins_;  // of the decoded characters; empty if there is no percent sign
};

/// A secret: the characters from `begin` to before `end`.
struct Place {
  std::size_t begin;
  std::size_t end;
};
using Places = std::vector<Place>;

bool is_between(char c, char first, char last) noexcept {
  return c >= first && c <= last;
}

constexpr auto base64url = [] {
  std::array<bool, 256> table{};
  for (char const c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_base64url(char c) noexcept {
  return base64url[static_cast<unsigned char>(c)];
}

bool is_white_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Returns the end of the run of base64url characters that begins at `at`.
std::size_t end_of_run(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_base64url(text[at])) ++at;
  return at;
}

/// Finds API tokens: the text after `dpd_`.
void find_tokens(std::string_view text, Places& places) {
  constexpr std::string_view prefix = "dpd_";
  for (auto at = text.find(prefix); at != nowhere; at = text.find(prefix, at)) {
    auto const begin = at + prefix.size();
    at = end_of_run(text, begin);
    if (at - begin >= shortest_token) places.push_back({begin, at});
  }
}

/// True if the `e` at `at` begins base64url of `{"` and more, as almost all JWT headers do; or of `{` and white space,
/// but then only where a word begins, since there are words like `newoperator`.
bool begins_header(std::string_view text, std::size_t at) noexcept {
  auto const second = text[at + 1];
  auto const third = text[at + 2];
  if (second == 'y' && is_between(third, 'I', 'L')) return true;
  auto const before = at == 0 ? ' ' : text[at - 1];
  if (is_base64url(before) && before != '-' && before != '_') return false;
  if (second == 'y') return is_between(third, 'A', 'D');
  return second == 'w' && (is_between(third, 'o', 'r') || is_between(third, '0', '3') || is_between(third, 'k', 'n'));
}

/// Returns where the header of a JWT begins in the run from `begin` to `end`.
std::size_t find_header(std::string_view text, std::size_t begin, std::size_t end) noexcept {
  for (auto at = begin; at + shortest_jwt_part <= end; ++at)
    if (text[at] == 'e' && begins_header(text, at)) return at;
  return nowhere;
}

/// Finds JWTs: runs of base64url characters joined by dots, of which the first ends with a header.
void find_jwts(std::string_view text, Places& places) {
  auto const goes_on = [&](std::size_t end) { return end < text.size() && text[end] == '.'; };
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = end_of_run(text, begin);
    auto const header = goes_on(end) ? find_header(text, begin, end) : nowhere;
    begin = end + 1;
    if (header == nowhere) continue;
    end = end_of_run(text, begin);
    if (end - begin < shortest_jwt_part) continue;
    Place place{header, end};
    // The second dot belongs to the JWT even if nothing follows it (`alg` is `none`). A third dot ends a sentence.
    for (bool second_dot = true; goes_on(end); second_dot = false) {
      begin = end + 1;
      end = end_of_run(text, begin);
      if (second_dot || end != begin) place.end = end;
    }
    places.push_back(place);
    begin = end + 1;
  }
}

/// Finds the password of `scheme://user:password@host`.
void find_url_passwords(Decoded const& decoded, Places& places) {
  constexpr std::string_view mark = "://";
  auto const text = decoded.characters();
  for (auto at = text.find(mark); at != nowhere; at = text.find(mark, at - 1)) {
    at += mark.size();
    // As in libpq, a password may contain `?` and `#`. In a URL that is itself encoded, the delimiter after the
    // password is encoded as deeply as the slashes of the URL. More deeply encoded characters are part of the password,
    // and a bare `&` ends it.
    auto const depth = decoded.depth_of(at - 1);
    Place password{nowhere, nowhere};
    for (; at < text.size(); ++at) {
      auto const c = text[at];
      if ((c == '/' || is_white_space(c)) && decoded.depth_of(at) <= depth) break;
      if (c == '&' && decoded.depth_of(at) < depth) break;
      if (c == ':' && password.begin == nowhere) password.begin = at + 1;
      if (c == '@' && password.begin != nowhere) password.end = at;
    }
    if (password.end != nowhere && password.end > password.begin) places.push_back(password);
  }
}

/// True if `password` ends before `at`.
bool follows_password(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view word = "password";
  return at >= word.size() && std::ranges::equal(text.substr(at - word.size(), word.size()), word,
                                                 [](char c, char want) { return static_cast<char>(c | 0x20) == want; });
}

/// Finds the value of `password=...`.
void find_password_values(Decoded const& decoded, Places& places) {
  auto const text = decoded.characters();
  for (auto at = text.find('='); at != nowhere; at = text.find('=', at)) {
    if (!follows_password(text, at++)) continue;
    auto const begin = at;
    auto depth = decoded.depth_of(begin - 1);
    for (; at < text.size(); ++at) {
      auto const c = text[at];
      // A character that is encoded more deeply than the equals sign is part of the value.
      if ((is_white_space(c) || c == '&' || c == '"') && decoded.depth_of(at) <= depth) break;
      if (c == '=' && follows_password(text, at)) depth = std::min(depth, decoded.depth_of(at));
    }
    if (at > begin) places.push_back({begin, at});
  }
}

}  // namespace

std::string redacted(std::string_view text) {
  Decoded const decoded(text);
  Places places;
  find_tokens(decoded.characters(), places);
  find_jwts(decoded.characters(), places);
  find_url_passwords(decoded, places);
  find_password_values(decoded, places);
  std::ranges::sort(places, {}, &Place::begin);

  std::string result;
  std::size_t copied = 0;
  for (auto place = places.begin(); place != places.end();) {
    // Secrets that overlap or touch are one.
    auto end = place->end;
    auto const begin = decoded.begin_of(place->begin);
    for (++place; place != places.end() && place->begin <= end; ++place) end = std::max(end, place->end);
    result += text.substr(copied, begin - copied);
    result += replacement;
    copied = decoded.begin_of(end);
  }
  result += text.substr(copied);
  return result;
}

}  // namespace deployd::server
