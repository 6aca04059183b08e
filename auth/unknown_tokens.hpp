// A cache of API tokens that were recently not found in the store.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "storage/store.hpp"

namespace deployd::auth {

/// A cache of fixed size, so that repeated requests with an unknown token do not query the store each time. Not to be
/// shared between threads. A token is added only after the store did not find it, so clients cannot add tokens that
/// exist.
class UnknownTokens {
 public:
  /// CONTRACT: a new token works within one second. The other half second is for clock differences and the store.
  static constexpr std::chrono::milliseconds kept{500};

  /// True if the store did not find the token less than `kept` before `now`.
  bool contains(storage::Sha256 const& hash, std::chrono::system_clock::time_point now) const noexcept;

  /// Records that the store does not have the token. May replace another token.
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
