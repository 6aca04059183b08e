// API tokens that the store did not have a moment ago.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "storage/store.hpp"

namespace deployd::auth {

/// A memory of fixed size, so that the same unknown token does not reach the store each time. Not to be shared between
/// threads. Nobody can push a token in that the store has: it is asked first.
class UnknownTokens {
 public:
  /// CONTRACT: a token that is created works within one second; half of it is left for the clocks and the store.
  static constexpr std::chrono::milliseconds kept{500};

  /// True if the store did not have the token less than `kept` before `now`.
  bool contains(storage::Sha256 const& hash, std::chrono::system_clock::time_point now) const noexcept;

  /// Notes that the store does not have it, in place of another token perhaps.
  void note(storage::Sha256 const& hash, std::chrono::system_clock::time_point now) noexcept;

 private:
  struct Place {
    storage::Sha256 hash{};
    std::chrono::system_clock::time_point asked = std::chrono::system_clock::time_point::min();
  };
  static constexpr std::size_t places = 1024;

  static std::size_t place_of(storage::Sha256 const& hash) noexcept;

  std::array<Place, places> places_{};
};

}  // namespace deployd::auth
