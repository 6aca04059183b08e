// Finds text that looks like a secret in one pass from left to right.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace deployd::server {

/// One character of a text, plain or decoded from a percent escape.
struct TextUnit {
  char character;
  unsigned depth;     // how often it is percent-encoded: 0 for plain, 1 for `%XX`, 2 for `%25XX`
  std::size_t begin;  // its position in the text
  std::size_t end;
};

/// Finds API tokens (the text after `dpd_`), JWTs, the password of `scheme://user:password@host` and the value of
/// `password=...`. Reads each character once and keeps a bounded state, so that its time is linear in the text.
class SecretFinder {
 public:
  struct Place {
    std::size_t begin;
    std::size_t end;
  };

  void take(TextUnit const& unit) {
    auto const before = recent_;
    recent_ = before << 8 | static_cast<unsigned char>(unit.character);
    ++taken_;
    if (is_base64url(unit.character)) {
      extend_part(unit);
      return;
    }
    if (begun_)
      end_part(unit.begin, unit.character == '.');
    else
      part_.taken_before = taken_;
    if (value_ || authority_ || unit.character == '=' || unit.character == '/') take_delimiter(unit, before);
  }

  /// Returns the places found, in order; no two of them touch. Must be called once, at the end of the text.
  std::vector<Place> finish(std::size_t end);

  /// Returns the number of characters taken and places recorded or joined, to which the time is proportional.
  std::size_t steps() const noexcept { return taken_ + places_handled_; }

 private:
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

  /// A run of base64url characters; several of them joined by dots form a JWT. Sizes are computed from the number of
  /// characters taken.
  struct Part {
    std::size_t taken_before = 0;
    std::size_t token_begin = nowhere;  // where the random part of an API token begins
    std::size_t taken_before_token = 0;
    std::size_t header_begin = nowhere;  // where a possible header of a JWT begins
    std::size_t taken_before_header = 0;
  };

  /// The value of `password=`, up to a character that ends it.
  struct Value {
    std::size_t begin;
    unsigned depth;
  };

  /// The text after `://`.
  struct Authority {
    unsigned depth;
    std::size_t password_begin = nowhere;
    std::size_t password_end = nowhere;
  };

  static constexpr auto base64url = [] {
    std::array<bool, 256> table{};
    for (auto const* c = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; *c != '\0'; ++c)
      table[static_cast<unsigned char>(*c)] = true;
    return table;
  }();

  static bool is_base64url(char c) noexcept { return base64url[static_cast<unsigned char>(c)]; }

  void extend_part(TextUnit const& unit) noexcept {
    if (unit.character == 'e') last_e_begin_ = unit.begin;
    if (unit.character == '_') note_token(unit);
    if (static_cast<char>(recent_ >> 16) == 'e') note_header();
  }

  void note_token(TextUnit const& unit) noexcept;
  void note_header() noexcept;
  void take_delimiter(TextUnit const& unit, std::uint64_t before);
  void end_part(std::size_t end, bool dot);
  void end_value(std::size_t end);
  void end_authority();
  void put_down(Place place);

  std::uint64_t recent_ = 0;  // the last eight characters, the latest in the lowest byte
  std::size_t taken_ = 0;
  std::size_t last_e_begin_ = nowhere;  // position of the last `e`

  Part part_;
  bool begun_ = false;               // a token or a JWT has begun in this part or before it
  std::size_t jwt_begin_ = nowhere;  // of the JWT that this part belongs to or may belong to
  std::size_t jwt_parts_ = 0;        // number of its parts before this one; it is a JWT from the second on
  std::optional<Value> value_;
  std::optional<Authority> authority_;

  std::vector<Place> places_;
  std::size_t places_handled_ = 0;
};

}  // namespace deployd::server
