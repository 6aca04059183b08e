#include "server/listen/address_limit.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/endian/conversion.hpp>

namespace deployd::server {

namespace ip = boost::asio::ip;

std::optional<AddressLimit::Key> AddressLimit::key_of(SocketAddress const& address) noexcept {
  auto const tcp = to_tcp(address);
  if (!tcp) return std::nullopt;
  // No IPv6 network in use begins with 32 zero bits, so keys of the two kinds cannot be equal.
  if (tcp->address().is_v4()) return tcp->address().to_v4().to_uint();
  auto const v6 = tcp->address().to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_uint();
  return boost::endian::load_big_u64(v6.to_bytes().data());
}

std::optional<AddressLimit::Place> AddressLimit::enter(SocketAddress const& address) {
  auto const key = enabled() ? key_of(address) : std::nullopt;
  if (!key) return Place();
  auto& shard = shard_of(*key);
  std::lock_guard const lock(shard.mutex);
  auto& count = shard.connections[*key];
  if (count >= most_) return std::nullopt;
  ++count;
  return Place(this, Leave{*key});
}

void AddressLimit::leave(Key key) noexcept {
  auto& shard = shard_of(key);
  std::lock_guard const lock(shard.mutex);
  auto const found = shard.connections.find(key);
  if (--found->second == 0) shard.connections.erase(found);
}

}  // namespace deployd::server
