// A cache of verified credentials and their owners (docs/decisions/0002-verified-token-cache.md).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.hpp"
#include "auth/jwt/claims.hpp"

namespace deployd::auth {

/// A bounded cache of valid credentials with CLOCK eviction. Not to be shared between threads. Only verified
/// credentials are stored, so clients without valid tokens cannot evict anything.
class TokenCache {
 public:
  static constexpr std::size_t default_entries = 4096;
  static constexpr std::size_t default_bytes = std::size_t{4} << 20;

  /// Holds at most `max_entries` credentials with at most `max_bytes` in total.
  explicit TokenCache(std::size_t max_entries = default_entries, std::size_t max_bytes = default_bytes);

  /// Returns the owner of exactly these credentials if they are cached and valid at `now`. The pointer is valid until
  /// the next `put` or `clear`. Does not allocate.
  Identity const* find(std::string_view credentials, std::chrono::system_clock::time_point now) noexcept;

  /// Stores credentials, replacing an older entry for them. The pointer is valid until the next `put` or `clear`.
  Identity const* put(std::string_view credentials, Identity identity, Validity const& validity);

  void clear() noexcept;

  std::size_t size() const noexcept { return used_; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// Returns the maximum number of entries that a look-up may have to compare. Visits all of them.
  std::size_t longest_chain() const noexcept;

 private:
  using Index = std::uint32_t;
  static constexpr Index none = ~Index{0};

  struct Entry {
    std::uint64_t hash = 0;
    Validity validity{};
    std::string credentials;  // empty if the entry is free
    Identity identity{};
    Index next = none;  // in the chain of its bucket or in the list of free entries
    bool referenced = false;
  };

  std::uint64_t hash_of(std::string_view credentials) const noexcept;
  Index& bucket_of(std::uint64_t hash) noexcept { return buckets_[hash & (buckets_.size() - 1)]; }
  Index lookup(std::string_view credentials, std::uint64_t hash) noexcept;
  static std::size_t bytes_of(Entry const& entry) noexcept;
  Index victim() noexcept;
  void drop(Index index) noexcept;

  std::array<unsigned char, 192> secret_;  // key of the hash, so that collisions cannot be computed from outside
  std::size_t max_entries_;
  std::size_t max_bytes_;
  std::vector<Index> buckets_;  // heads of chains; the size is a power of two
  std::vector<Entry> entries_;
  Index free_ = none;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
  std::size_t hand_ = 0;
};

}  // namespace deployd::auth
