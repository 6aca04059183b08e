// The response cache of one worker.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.hpp"
#include "routing/form.hpp"
#include "routing/rendered_answer.hpp"

namespace deployd::routing {

/// The metrics of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) CacheMetrics {
  base::Counter hits;
  base::Counter misses;
  base::Counter evictions;
  base::Counter entries;
  base::Counter bytes;
};

/// Caches responses by the bytes of their request target and their form, each with the version of the data that it was
/// rendered from. A response is only returned for the version that it was cached with. Evicts by CLOCK (second chance)
/// when `capacity` bytes are used. Responses are the same for every valid token, so the token is not part of the key.
class AnswerCache {
 public:
  /// `capacity` is in bytes; 0 turns the cache off.
  explicit AnswerCache(std::size_t capacity);

  bool enabled() const noexcept { return capacity_ != 0; }

  /// Returns the response to `target` in the wanted form for `data_version`, or null. If a response does not gain by a
  /// coding, it is returned without it. The pointer is valid until the next `keep`.
  std::shared_ptr<RenderedAnswer const> const* find(std::string_view target, WantedForm wanted,
                                                    std::uint64_t data_version);

  /// Caches `answer`, which is in `form`, unless it would use too much of the cache.
  void keep(std::string_view target, Form form, std::uint64_t data_version,
            std::shared_ptr<RenderedAnswer const> answer);

  std::size_t bytes_used() const noexcept { return used_; }

  /// The metrics of the cache. Safe to read from any thread.
  CacheMetrics const& metrics() const noexcept { return metrics_; }

 private:
  struct Slot {
    std::string key;
    std::shared_ptr<RenderedAnswer const> answer;  // null if the slot is free
    std::uint64_t data_version = 0;
    bool used_again = false;
  };
  struct Hash {
    using is_avalanching = void;
    std::uint64_t seed;  // random, so that clients cannot choose colliding targets
    std::size_t operator()(std::string_view key) const noexcept;
  };

  std::string_view key_of(std::string_view target, Form const& form);
  Slot* find_slot(std::string_view key, std::uint64_t data_version) noexcept;
  Slot* find_short(std::string_view target, WantedForm wanted, std::uint64_t data_version);
  static std::size_t cost(Slot const& slot) noexcept;
  std::uint32_t free_slot();
  void release(std::uint32_t index) noexcept;
  void evict_one(std::uint64_t data_version) noexcept;
  void publish_size() noexcept;

  std::size_t capacity_;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;  // stable addresses: the keys of the index are views of theirs
  std::vector<std::uint32_t> free_;
  std::uint32_t hand_ = 0;
  CacheMetrics metrics_;
  std::string key_;  // of a form, made by `key_of`; reused so that finding one does not allocate
  boost::unordered_flat_map<std::string_view, std::uint32_t, Hash> index_;
};

}  // namespace deployd::routing
