// Limits the connections per client address.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "server/listen/socket_address.hpp"

namespace deployd::server {

/// Counts the connections of each address, over all workers. Used only when a connection is accepted and when it has
/// ended. Stores only addresses that have connections.
///
/// An IPv6 address counts as its /64, which is what a provider assigns to a customer. An IPv4 address mapped to IPv6
/// counts as IPv4. Addresses of other families are not counted.
class AddressLimit {
 public:
  using Key = std::uint64_t;

  struct Leave {
    Key key = 0;
    void operator()(AddressLimit* limit) const noexcept { limit->leave(key); }
  };

  /// The place of one connection, which becomes free on destruction; null if it is not counted. Must not outlive the
  /// limit.
  using Place = std::unique_ptr<AddressLimit, Leave>;

  /// 0: no limit, and nothing is counted.
  explicit AddressLimit(std::size_t most) noexcept : most_(most) {}

  bool enabled() const noexcept { return most_ != 0; }

  /// Returns nothing if the address has reached its limit. Safe to call from any thread.
  std::optional<Place> enter(SocketAddress const& address);

  /// Returns the key under which connections of this address are counted, or nothing for a family that is not counted.
  static std::optional<Key> key_of(SocketAddress const& address) noexcept;

 private:
  struct Shard {
    std::mutex mutex;
    std::map<Key, std::size_t> connections;  // ordered: clients cannot slow it down by choosing addresses
  };

  void leave(Key key) noexcept;
  Shard& shard_of(Key key) noexcept { return shards_[(key ^ key >> 32) % shards_.size()]; }

  std::size_t const most_;
  std::array<Shard, 13> shards_;
};

}  // namespace deployd::server
