// The credentials that were found good, and whose they are (docs/decisions/0002-verified-token-cache.md).
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

/// A bounded memory of good credentials with CLOCK eviction. Not to be shared between threads.
/// Only what was verified is put in, so nobody without good tokens can push anything out.
class TokenCache {
 public:
  static constexpr std::size_t default_entries = 4096;
  static constexpr std::size_t default_bytes = std::size_t{4} << 20;

  /// Holds at most `max_entries` credentials with at most `max_bytes` in all.
  explicit TokenCache(std::size_t max_entries = default_entries, std::size_t max_bytes = default_bytes);

  /// Whose these very bytes are, if they are remembered and good at `now`. The pointer is valid until the next `put` or
  /// `clear`. No allocation.
  Identity const* find(std::string_view credentials, std::chrono::system_clock::time_point now) noexcept;

  /// Remembers credentials, in place of what was known of them. The pointer is valid until the next `put` or `clear`.
  Identity const* put(std::string_view credentials, Identity identity, Validity const& validity);

  void clear() noexcept;

  std::size_t size() const noexcept { return used_; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// The most entries that a look-up may have to pass. Goes through all of them.
  std::size_t longest_chain() const noexcept;

 private:
  using Index = std::uint32_t;
  static constexpr Index none = ~Index{0};

  struct Entry {
    std::uint64_t hash = 0;
    Validity validity{};
    std::string credentials;  // empty: the entry is free
    Identity identity{};
    Index next = none;  // in the chain of its bucket, or of the free entries
    bool referenced = false;
  };

  std::uint64_t hash_of(std::string_view credentials) const noexcept;
  Index& bucket_of(std::uint64_t hash) noexcept { return buckets_[hash & (buckets_.size() - 1)]; }
  Index lookup(std::string_view credentials, std::uint64_t hash) noexcept;
  static std::size_t bytes_of(Entry const& entry) noexcept;
  Index victim() noexcept;
  void drop(Index index) noexcept;

  std::array<unsigned char, 192> secret_;  // of the hash: collisions cannot be computed from outside
  std::size_t max_entries_;
  std::size_t max_bytes_;
  std::vector<Index> buckets_;  // heads of chains; a power of two of them
  std::vector<Entry> entries_;
  Index free_ = none;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
  std::size_t hand_ = 0;
};

}  // namespace deployd::auth
