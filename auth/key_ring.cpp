#include "auth/key_ring.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "auth/jwks.hpp"
#include "auth/key_file.hpp"
#include "auth/pem.hpp"

namespace deployd::auth {

std::shared_ptr<KeyRing const> KeyRing::load(KeyRingOptions const& options) {
  std::shared_ptr<KeyRing> const ring(new KeyRing);
  auto const add = [&ring](std::vector<Key> keys) { std::ranges::move(keys, std::back_inserter(ring->keys_)); };

  if (options.secret) ring->keys_.push_back(make_hmac_key(*options.secret, options.secret_origin));
  for (auto const& file : options.public_key_files) add(read_pem(read_key_file(file), file));
  for (auto const& file : options.jwks_files) {
    auto keys = read_jwks(read_key_file(file), file);
    if (keys.empty()) spdlog::warn("{}: holds no key that can be used", file);
    add(std::move(keys));
  }

  ring->issuer_ = options.issuer;
  ring->audience_ = options.audience;
  ring->leeway_ =
      std::clamp<std::chrono::seconds>(options.leeway, std::chrono::seconds(0), std::chrono::hours(24 * 3650));
  return ring;
}

}  // namespace deployd::auth
