// Finding what looks like a secret in a text that is read once, from left to right.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace deployd::server {

/// One character of a text: what stands there, or what a percent escape there stands for.
struct TextUnit {
  char character;
  unsigned depth;     // how often it is percent-encoded: 0 for itself, 1 for `%XX`, 2 for `%25XX`
  std::size_t begin;  // where it stands in the text
  std::size_t end;
};

/// Finds a word in characters that come one by one (Knuth, Morris and Pratt).
class WordFinder {
 public:
  static constexpr std::size_t longest_word = 16;

  /// `word` must outlive this and have 1 to `longest_word` characters.
  explicit WordFinder(std::string_view word) noexcept;

  /// Whether the word ends with this character.
  bool take(char c) noexcept;
  void restart() noexcept { matched_ = 0; }

 private:
  std::string_view word_;
  std::array<std::uint8_t, longest_word> fallback_{};  // how much of the word still matches where so much did not go on
  std::size_t matched_ = 0;
};

/// Finds API tokens (what follows `dpd_`), JWTs, the password of `scheme://user:password@host` and the value of
/// `password=...`. Takes each character once and keeps a bounded state, so that its work is linear in the text.
class SecretFinder {
 public:
  struct Place {
    std::size_t begin;
    std::size_t end;
  };

  void take(TextUnit const& unit);

  /// To be called once, where the text ends.
  void finish(std::size_t end);

  /// What was found, in order; no two touch each other. Valid after `finish`.
  std::vector<Place> const& places() const noexcept { return places_; }

  /// How many characters were taken and places put down: what the work is proportional to.
  std::size_t steps() const noexcept { return steps_; }

 private:
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

  /// A run of base64url characters, of which dots make a JWT.
  struct Part {
    std::array<TextUnit, 3> last{};  // its last three characters, the last one first
    std::size_t size = 0;
    std::size_t token_begin = nowhere;  // where the random part of an API token begins
    std::size_t token_size = 0;
    std::size_t header_begin = nowhere;  // where what may be the header of a JWT begins
    std::size_t header_size = 0;
  };

  /// The value of `password=`, up to a character that ends it.
  struct Value {
    std::size_t begin;
    unsigned depth;
  };

  /// What follows `://`.
  struct Authority {
    unsigned depth;
    std::size_t password_begin = nowhere;
    std::size_t password_end = nowhere;
  };

  void extend_part(TextUnit const& unit);
  void end_part(std::size_t end, bool dot);
  void take_for_value(TextUnit const& unit);
  void take_for_authority(TextUnit const& unit);
  void end_value(std::size_t end);
  void end_authority();
  void put_down(Place place);

  Part part_;
  std::size_t jwt_begin_ = nowhere;  // of the JWT that this part may go on, or goes on
  std::size_t jwt_parts_ = 0;        // its parts before this one; from the second on it is one
  std::optional<Value> value_;
  std::optional<Authority> authority_;
  WordFinder token_prefix_{"dpd_"};
  WordFinder value_name_{"password="};
  WordFinder authority_mark_{"://"};
  std::vector<Place> places_;
  std::size_t steps_ = 0;
};

}  // namespace deployd::server
