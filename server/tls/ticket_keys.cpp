#include "server/tls/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace deployd::server {

TlsTicketKeys::Key TlsTicketKeys::current(Clock::time_point now) {
  std::lock_guard const lock(mutex_);
  renew(now);
  return keys_.front();
}

std::optional<TlsTicketKeys::Found> TlsTicketKeys::find(std::span<unsigned char const, 16> name,
                                                        Clock::time_point now) {
  std::lock_guard const lock(mutex_);
  renew(now);
  for (auto const& key : keys_)
    if (std::ranges::equal(key.name, name)) return Found{key, &key == &keys_.front()};
  return std::nullopt;
}

/// Adds a new key if the newest is too old, and removes keys whose tickets have expired.
void TlsTicketKeys::renew(Clock::time_point now) {
  while (!keys_.empty() && now - keys_.back().made >= renewal + ticket_lifetime) {
    OPENSSL_cleanse(&keys_.back(), sizeof(Key));
    keys_.pop_back();
  }
  if (!keys_.empty() && now - keys_.front().made < renewal) return;
  Key key{};
  key.made = now;
  for (auto const bytes :
       {std::span<unsigned char>(key.name), std::span<unsigned char>(key.cipher), std::span<unsigned char>(key.mac)}) {
    if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
      throw std::runtime_error("no randomness for the keys of session tickets");
  }
  keys_.push_front(key);
}

}  // namespace deployd::server
