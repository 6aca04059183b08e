// How many connections one client address may have.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "server/listen/socket_address.hpp"

namespace deployd::server {

/// Counts the connections of each address, over all workers. Touched only when a connection is accepted and when it has
/// ended; holds only addresses that have connections.
///
/// An address of IPv6 stands for its /64, which is what one customer of a provider has; one of IPv4 written as IPv6 is
/// the same as in IPv4. Addresses of other families are not counted.
class AddressLimit {
 public:
  using Key = std::uint64_t;

  /// A connection's place, which is free again when this is destroyed. Must not outlive the limit.
  class Place {
   public:
    /// One that nobody counts.
    Place() = default;
    Place(AddressLimit& limit, Key key) noexcept : limit_(&limit), key_(key) {}
    Place(Place&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (limit_ != nullptr) limit_->leave(key_);
    }

   private:
    AddressLimit* limit_ = nullptr;
    Key key_ = 0;
  };

  /// 0: no limit, and nothing is counted.
  explicit AddressLimit(std::size_t most) noexcept : most_(most) {}

  bool enabled() const noexcept { return most_ != 0; }

  /// Nothing when the address has as many connections as it may. Any thread.
  std::optional<Place> enter(SocketAddress const& address);

  /// The addresses that have connections. Any thread.
  std::size_t addresses() const;

  /// What connections from this address are counted under; nothing for a family that is not counted.
  static std::optional<Key> key_of(SocketAddress const& address) noexcept;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::map<Key, std::size_t> connections;  // ordered: whoever chooses addresses cannot make it slow
  };

  void leave(Key key) noexcept;
  Shard& shard_of(Key key) noexcept { return shards_[(key ^ key >> 32) % shards_.size()]; }

  std::size_t const most_;
  std::array<Shard, 13> shards_;
};

}  // namespace deployd::server
