#include "server/secret_finder.hpp"

#include <algorithm>

namespace deployd::server {
namespace {

// Shorter ones are words that begin like a token.
constexpr std::size_t shortest_token = 20;
constexpr std::size_t shortest_jwt_part = 8;

bool is_between(char c, char first, char last) noexcept {
  return c >= first && c <= last;
}

bool is_alphanumeric(char c) noexcept {
  return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') || is_between(c, '0', '9');
}

bool is_base64url(char c) noexcept {
  return is_alphanumeric(c) || c == '-' || c == '_';
}

/// Whether these three characters are base64url of `{"` and more, as almost all headers begin.
bool is_brace_and_quote(char first, char second, char third) noexcept {
  return first == 'e' && second == 'y' && is_between(third, 'I', 'L');
}

/// Whether they are base64url of `{` and white space: a space, or a line feed, a carriage return or a tab.
bool is_brace_and_space(char first, char second, char third) noexcept {
  if (first != 'e') return false;
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

WordFinder::WordFinder(std::string_view word) noexcept : word_(word) {
  for (std::size_t size = 1; size < word_.size(); ++size) {
    auto shorter = static_cast<std::size_t>(fallback_[size - 1]);
    while (shorter > 0 && word_[shorter] != word_[size]) shorter = fallback_[shorter - 1];
    fallback_[size] = static_cast<std::uint8_t>(shorter + (word_[shorter] == word_[size] ? 1 : 0));
  }
}

bool WordFinder::take(char c) noexcept {
  while (matched_ > 0 && word_[matched_] != c) matched_ = fallback_[matched_ - 1];
  if (word_[matched_] != c) return false;
  if (++matched_ < word_.size()) return false;
  matched_ = fallback_[matched_ - 1];
  return true;
}

void SecretFinder::take(TextUnit const& unit) {
  ++steps_;
  if (is_base64url(unit.character))
    extend_part(unit);
  else if (part_.size != 0 || jwt_parts_ != 0)
    end_part(unit.begin, unit.character == '.');
  take_for_value(unit);
  take_for_authority(unit);
}

void SecretFinder::finish(std::size_t end) {
  end_part(end, false);
  end_value(end);
  end_authority();
}

void SecretFinder::extend_part(TextUnit const& unit) {
  auto const c = unit.character;
  auto const& [previous, before_previous, earlier] = part_.last;
  if (part_.token_begin != nowhere) {
    ++part_.token_size;
  } else if (token_prefix_.take(c)) {
    part_.token_begin = unit.end;
  }
  if (part_.header_begin != nowhere) {
    ++part_.header_size;
  } else if (is_brace_and_quote(before_previous.character, previous.character, c) ||
             // There are words like `newoperator`, so white space counts where the part, or a word of it, begins.
             (!is_alphanumeric(earlier.character) &&
              is_brace_and_space(before_previous.character, previous.character, c))) {
    part_.header_begin = before_previous.begin;
    part_.header_size = 3;
  }
  part_.last = {unit, previous, before_previous};
  ++part_.size;
}

/// At the end of a part, which may be empty; behind a dot another one follows.
void SecretFinder::end_part(std::size_t end, bool dot) {
  if (part_.token_begin != nowhere && part_.token_size >= shortest_token) put_down({part_.token_begin, end});

  bool const goes_on = jwt_parts_ == 1 ? part_.size >= shortest_jwt_part : jwt_parts_ > 1;
  if (goes_on) {
    // The second dot belongs to the JWT although nothing may follow it (`alg` is `none`); a third one ends a sentence.
    if (part_.size != 0 || jwt_parts_ == 2) put_down({jwt_begin_, end});
    ++jwt_parts_;
  } else {
    bool const begins = part_.header_begin != nowhere && part_.header_size >= shortest_jwt_part;
    jwt_begin_ = begins ? part_.header_begin : nowhere;
    jwt_parts_ = begins ? 1 : 0;
  }
  if (!dot) jwt_parts_ = 0;
  token_prefix_.restart();
  part_ = {};
}

void SecretFinder::take_for_value(TextUnit const& unit) {
  auto const c = unit.character;
  // What is encoded more deeply than the equals sign is part of the value.
  if (value_ && ends_value(c) && unit.depth <= value_->depth) end_value(unit.begin);
  if (!value_name_.take(is_between(c, 'A', 'Z') ? static_cast<char>(c + ('a' - 'A')) : c)) return;
  if (value_)
    value_->depth = std::min(value_->depth, unit.depth);
  else
    value_ = Value{.begin = unit.end, .depth = unit.depth};
}

void SecretFinder::end_value(std::size_t end) {
  if (value_ && end > value_->begin) put_down({value_->begin, end});
  value_.reset();
}

void SecretFinder::take_for_authority(TextUnit const& unit) {
  auto const c = unit.character;
  if (authority_) {
    // As libpq has it, a password may hold `?` and `#`. In a URL that is itself encoded, what ends it is encoded as
    // often as its slashes; what is encoded more deeply is part of it, and a bare `&` stands behind it.
    bool const ends = (c == '/' || is_white_space(c)) && unit.depth <= authority_->depth;
    if (ends || (c == '&' && unit.depth < authority_->depth)) {
      end_authority();
    } else if (c == ':' && authority_->password_begin == nowhere) {
      authority_->password_begin = unit.end;
    } else if (c == '@' && authority_->password_begin != nowhere) {
      authority_->password_end = unit.begin;
    }
  }
  if (authority_mark_.take(c) && !authority_) authority_ = Authority{.depth = unit.depth};
}

void SecretFinder::end_authority() {
  if (authority_ && authority_->password_end != nowhere && authority_->password_end > authority_->password_begin)
    put_down({authority_->password_begin, authority_->password_end});
  authority_.reset();
}

/// Keeps places in order and apart: what ends here may have begun before others that were put down.
void SecretFinder::put_down(Place place) {
  ++steps_;
  while (!places_.empty() && places_.back().end >= place.begin) {
    ++steps_;
    place = {std::min(place.begin, places_.back().begin), std::max(place.end, places_.back().end)};
    places_.pop_back();
  }
  places_.push_back(place);
}

}  // namespace deployd::server
