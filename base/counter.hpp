// Counters for the hot path: one thread writes, any thread reads (docs/decisions/0015-counters-without-locks.md).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace deployd::base {

/// A number that one thread changes and any thread may read at any time.
///
/// With a single writer, an increment needs no atomic read-modify-write: it is a plain load, an addition and a plain
/// store. Readers see a recent value; the values of different counters may be from slightly different times.
class Counter {
 public:
  /// Writer only. Always inlined: GCC would call it in places that it takes for rarely executed.
  [[gnu::always_inline]] void add(std::uint64_t amount = 1) noexcept { set(value() + amount); }

  /// Writer only. For values that increase and decrease.
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The size to which the counters of one thread are aligned, so that no other thread writes to their cache lines.
inline constexpr std::size_t cache_line = 64;

}  // namespace deployd::base
