#include "auth/token_cache.hpp"

#include <openssl/rand.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace deployd::auth {
namespace {

// Credentials end with part of a signature or of an API token's random bytes, which differs between tokens.
constexpr std::size_t hashed_end = 64;

// One token can be sent in thousands of spellings, with the scheme in any case and any number of spaces after it. The
// scheme and the size are hashed too, so that these spellings do not all end up in one bucket.
constexpr std::size_t hashed_beginning = 8;

}  // namespace

TokenCache::TokenCache(std::size_t max_entries, std::size_t max_bytes)
    : max_entries_(max_entries), max_bytes_(max_bytes), buckets_(std::bit_ceil(2 * max_entries), none) {
  if (RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1) {
    throw std::runtime_error("the system has no random numbers");
  }
}

std::uint64_t TokenCache::hash_of(std::string_view credentials) const noexcept {
  auto const size = credentials.size();
  if (size <= hashed_end) return XXH3_64bits_withSecret(credentials.data(), size, secret_.data(), secret_.size());
  std::array<char, sizeof size + hashed_beginning + hashed_end> picked;
  std::memcpy(picked.data(), &size, sizeof size);
  std::memcpy(picked.data() + sizeof size, credentials.data(), hashed_beginning);
  std::memcpy(picked.data() + sizeof size + hashed_beginning, credentials.data() + (size - hashed_end), hashed_end);
  return XXH3_64bits_withSecret(picked.data(), picked.size(), secret_.data(), secret_.size());
}

TokenCache::Index TokenCache::lookup(std::string_view credentials, std::uint64_t hash) noexcept {
  auto index = bucket_of(hash);
  while (index != none) {
    auto const& entry = entries_[index];
    if (entry.hash == hash && entry.credentials == credentials) break;
    index = entry.next;
  }
  return index;
}

Identity const* TokenCache::find(std::string_view credentials, std::chrono::system_clock::time_point now) noexcept {
  auto const index = lookup(credentials, hash_of(credentials));
  if (index == none) return nullptr;
  auto& entry = entries_[index];
  // `from` also rejects an entry that was made before the clock was set back.
  if (now < entry.validity.from || now >= entry.validity.until) return nullptr;
  entry.referenced = true;
  return &entry.identity;
}

Identity const* TokenCache::put(std::string_view credentials, Identity identity, Validity const& validity) {
  auto const hash = hash_of(credentials);
  if (auto const known = lookup(credentials, hash); known != none) drop(known);

  // Anything that may throw comes before the first change.
  Entry entry{.hash = hash,
              .validity = validity,
              .credentials = std::string(credentials),
              .identity = std::move(identity),
              .next = none};
  auto const bytes = bytes_of(entry);
  while (used_ > 0 && (used_ == max_entries_ || bytes_ + bytes > max_bytes_)) drop(victim());
  if (free_ == none) {
    entries_.emplace_back();
    free_ = static_cast<Index>(entries_.size() - 1);
  }

  auto const index = free_;
  free_ = entries_[index].next;
  entry.next = std::exchange(bucket_of(hash), index);  // must follow the eviction, which may have changed the chain
  entries_[index] = std::move(entry);
  ++used_;
  bytes_ += bytes;
  return &entries_[index].identity;
}

std::size_t TokenCache::longest_chain() const noexcept {
  std::size_t longest = 0;
  for (auto const head : buckets_) {
    std::size_t length = 0;
    for (auto index = head; index != none; index = entries_[index].next) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

void TokenCache::clear() noexcept {
  std::ranges::fill(buckets_, none);
  entries_.clear();
  free_ = none;
  used_ = bytes_ = hand_ = 0;
}

std::size_t TokenCache::bytes_of(Entry const& entry) noexcept {
  return entry.credentials.size() + entry.identity.subject.size();
}

/// Returns the next entry after the clock hand that was not used since the hand last passed it. At least one entry must
/// be in use.
TokenCache::Index TokenCache::victim() noexcept {
  while (true) {
    hand_ = (hand_ + 1) % entries_.size();
    auto& entry = entries_[hand_];
    if (entry.credentials.empty()) continue;
    if (!std::exchange(entry.referenced, false)) return static_cast<Index>(hand_);
  }
}

void TokenCache::drop(Index index) noexcept {
  auto& entry = entries_[index];
  auto* link = &bucket_of(entry.hash);
  while (*link != index) link = &entries_[*link].next;
  *link = entry.next;
  bytes_ -= bytes_of(entry);
  --used_;
  entry = Entry{};
  entry.next = std::exchange(free_, index);
}

}  // namespace deployd::auth
