#include "server/log/secret_finder.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace deployd::server {
namespace {

// Shorter texts are words that happen to begin like a token.
constexpr std::size_t shortest_token = 20;
constexpr std::size_t shortest_jwt_part = 8;

/// Packs up to eight characters as `SecretFinder` stores them.
constexpr std::uint64_t packed(std::string_view text) noexcept {
  std::uint64_t result = 0;
  for (char const c : text) result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

constexpr std::uint64_t mask_of(std::size_t characters) noexcept {
  return ~std::uint64_t{0} >> (64 - 8 * characters);
}

bool is_between(char c, char first, char last) noexcept {
  return c >= first && c <= last;
}

bool is_alphanumeric(char c) noexcept {
  return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') || is_between(c, '0', '9');
}

/// True if `e`, `second` and `third` are base64url of `{"` and more. Almost all JWT headers begin this way.
bool is_brace_and_quote(char second, char third) noexcept {
  return second == 'y' && is_between(third, 'I', 'L');
}

/// True if they are base64url of `{` and white space: a space, a line feed, a carriage return or a tab.
bool is_brace_and_space(char second, char third) noexcept {
  if (second == 'y') return is_between(third, 'A', 'D');
  return second == 'w' && (is_between(third, 'o', 'r') || is_between(third, '0', '3') || is_between(third, 'k', 'n'));
}

bool is_white_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_value(char c) noexcept {
  return is_white_space(c) || c == '&' || c == '"';
}

}  // namespace

std::vector<SecretFinder::Place> SecretFinder::finish(std::size_t end) {
  ++taken_;  // as at any other character, so that the last taken character is the previous one
  end_part(end, false);
  end_value(end);
  end_authority();
  return std::move(places_);
}

/// Called at an underscore, which ends `dpd_`.
void SecretFinder::note_token(TextUnit const& unit) noexcept {
  if (part_.token_begin != nowhere || (recent_ & mask_of(4)) != packed("dpd_")) return;
  part_.token_begin = unit.end;
  part_.taken_before_token = taken_;
  begun_ = true;
}

/// Called at the second character after an `e`.
void SecretFinder::note_header() noexcept {
  if (part_.header_begin != nowhere) return;
  auto const third = static_cast<char>(recent_);
  auto const second = static_cast<char>(recent_ >> 8);
  auto const before = static_cast<char>(recent_ >> 24);
  // There are words like `newoperator`, so white space counts only where the part, or a word of it, begins.
  if (!is_brace_and_quote(second, third) && (is_alphanumeric(before) || !is_brace_and_space(second, third))) return;
  part_.header_begin = last_e_begin_;
  part_.taken_before_header = taken_ - 3;
  begun_ = true;
}

/// Handles a character that may begin or end a password; `before` are the eight characters before it.
void SecretFinder::take_delimiter(TextUnit const& unit, std::uint64_t before) {
  auto const c = unit.character;
  // A character that is encoded more deeply than the equals sign is part of the value.
  if (value_ && ends_value(c) && unit.depth <= value_->depth) end_value(unit.begin);
  constexpr std::uint64_t lower_case = 0x2020202020202020;
  if (c == '=' && (before | lower_case) == packed("password")) {
    if (value_)
      value_->depth = std::min(value_->depth, unit.depth);
    else
      value_ = Value{.begin = unit.end, .depth = unit.depth};
  }

  if (authority_) {
    // As in libpq, a password may contain `?` and `#`. In a URL that is itself encoded, the delimiter after the
    // password is encoded as deeply as the slashes of the URL. More deeply encoded characters are part of the password,
    // and a bare `&` ends it.
    bool const ends = (c == '/' || is_white_space(c)) && unit.depth <= authority_->depth;
    if (ends || (c == '&' && unit.depth < authority_->depth)) {
      end_authority();
    } else if (c == ':' && authority_->password_begin == nowhere) {
      authority_->password_begin = unit.end;
    } else if (c == '@' && authority_->password_begin != nowhere) {
      authority_->password_end = unit.begin;
    }
  }
  if (c == '/' && !authority_ && (recent_ & mask_of(3)) == packed("://")) authority_ = Authority{.depth = unit.depth};
}

/// Handles the end of a part, which may be empty. After a dot another part follows.
void SecretFinder::end_part(std::size_t end, bool dot) {
  auto const taken_before_end = taken_ - 1;
  auto const size = taken_before_end - part_.taken_before;
  if (part_.token_begin != nowhere && taken_before_end - part_.taken_before_token >= shortest_token)
    put_down({part_.token_begin, end});

  bool const goes_on = jwt_parts_ == 1 ? size >= shortest_jwt_part : jwt_parts_ > 1;
  if (goes_on) {
    // The second dot belongs to the JWT even if nothing follows it (`alg` is `none`). A third dot ends a sentence.
    if (size != 0 || jwt_parts_ == 2) put_down({jwt_begin_, end});
    ++jwt_parts_;
  } else {
    bool const begins =
        part_.header_begin != nowhere && taken_before_end - part_.taken_before_header >= shortest_jwt_part;
    jwt_begin_ = part_.header_begin;
    jwt_parts_ = begins ? 1 : 0;
  }
  if (!dot) jwt_parts_ = 0;
  begun_ = jwt_parts_ != 0;
  part_ = {.taken_before = taken_};
}

void SecretFinder::end_value(std::size_t end) {
  if (value_ && end > value_->begin) put_down({value_->begin, end});
  value_.reset();
}

void SecretFinder::end_authority() {
  if (authority_ && authority_->password_end != nowhere && authority_->password_end > authority_->password_begin)
    put_down({authority_->password_begin, authority_->password_end});
  authority_.reset();
}

/// Keeps places ordered and disjoint: the one that ends here may have begun before others that were recorded.
void SecretFinder::put_down(Place place) {
  ++places_handled_;
  while (!places_.empty() && places_.back().end >= place.begin) {
    ++places_handled_;
    place = {std::min(place.begin, places_.back().begin), std::max(place.end, places_.back().end)};
    places_.pop_back();
  }
  places_.push_back(place);
}

}  // namespace deployd::server
