#include "auth/jwt/key_ring.hpp"

#include <algorithm>
#include <iterator>

#include "auth/jwt/jwks.hpp"
#include "auth/jwt/pem.hpp"
#include "auth/key_file.hpp"

namespace deployd::auth {

void KeyRing::add_jwks(std::string const& path) {
  auto const file = read_key_file(path);
  auto keys = read_jwks(file.bytes, path);
  if (keys.empty()) complaints_.push_back(path + ": holds no key that can be used");
  auto const private_keys = private_members(file.bytes, path);
  for (auto const& line : private_keys)
    complaints_.push_back(line + ", of a private key: give deployd public keys only");
  bool const secret = !private_keys.empty() || std::ranges::find(keys, KeyKind::hmac, &Key::kind) != keys.end();
  if (auto exposure = exposure_of(file); secret && exposure) complaints_.push_back(*std::move(exposure));
  std::ranges::move(keys, std::back_inserter(keys_));
}

std::shared_ptr<KeyRing const> KeyRing::load(KeyRingOptions const& options) {
  std::shared_ptr<KeyRing> const ring(new KeyRing);
  ring->complaints_ = options.complaints;

  if (options.secret) ring->keys_.push_back(make_hmac_key(*options.secret, options.secret_origin));
  for (auto const& path : options.public_key_files)
    std::ranges::move(read_pem(read_key_file(path).bytes, path), std::back_inserter(ring->keys_));
  for (auto const& path : options.jwks_files) ring->add_jwks(path);

  ring->issuer_ = options.issuer;
  ring->audience_ = options.audience;
  ring->leeway_ =
      std::clamp<std::chrono::seconds>(options.leeway, std::chrono::seconds(0), std::chrono::hours(24 * 3650));
  return ring;
}

std::shared_ptr<KeyRing const> KeyRing::with_keys(KeyRing const& ring, std::vector<Key> const& more) {
  std::shared_ptr<KeyRing> const joined(new KeyRing(ring));
  joined->keys_.insert(joined->keys_.end(), more.begin(), more.end());
  return joined;
}

}  // namespace deployd::auth
