#include "server/listen/address_limit.hpp"

#include <netinet/in.h>

#include <cstring>

namespace deployd::server {
namespace {

AddressLimit::Key big_endian(unsigned char const* octets, std::size_t count) noexcept {
  AddressLimit::Key number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | octets[i];
  return number;
}

}  // namespace

std::optional<AddressLimit::Key> AddressLimit::key_of(SocketAddress const& address) noexcept {
  // No IPv6 network in use begins with 32 zero bits, so keys of the two kinds cannot be equal.
  if (address.family() == AF_INET) {
    auto const* const v4 = reinterpret_cast<sockaddr_in const*>(&address.storage);
    return ntohl(v4->sin_addr.s_addr);
  }
  if (address.family() != AF_INET6) return std::nullopt;
  auto const& octets = reinterpret_cast<sockaddr_in6 const*>(&address.storage)->sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<sockaddr_in6 const*>(&address.storage)->sin6_addr))
    return big_endian(octets + 12, 4);
  return big_endian(octets, 8);
}

std::optional<AddressLimit::Place> AddressLimit::enter(SocketAddress const& address) {
  auto const key = enabled() ? key_of(address) : std::nullopt;
  if (!key) return Place();
  auto& shard = shard_of(*key);
  std::lock_guard const lock(shard.mutex);
  auto& count = shard.connections[*key];
  if (count >= most_) return std::nullopt;
  ++count;
  return std::optional<Place>(std::in_place, *this, *key);
}

void AddressLimit::leave(Key key) noexcept {
  auto& shard = shard_of(key);
  std::lock_guard const lock(shard.mutex);
  auto const found = shard.connections.find(key);
  if (--found->second == 0) shard.connections.erase(found);
}

std::size_t AddressLimit::addresses() const {
  std::size_t sum = 0;
  for (auto const& shard : shards_) {
    std::lock_guard const lock(shard.mutex);
    sum += shard.connections.size();
  }
  return sum;
}

}  // namespace deployd::server
