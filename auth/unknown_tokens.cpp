#include "auth/unknown_tokens.hpp"

namespace deployd::auth {

using std::chrono::system_clock;

std::size_t UnknownTokens::place_of(storage::Sha256 const& hash) noexcept {
  return (std::size_t{hash[0]} << 8 | hash[1]) % places;
}

bool UnknownTokens::contains(storage::Sha256 const& hash, system_clock::time_point now) const noexcept {
  auto const& place = places_[place_of(hash)];
  // The first comparison also rejects entries that were made before the clock was set back.
  return now >= place.asked && now - kept < place.asked && place.hash == hash;
}

void UnknownTokens::note(storage::Sha256 const& hash, system_clock::time_point now) noexcept {
  places_[place_of(hash)] = {hash, now};
}

}  // namespace deployd::auth
