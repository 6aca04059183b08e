// Metrics of one worker's queries: number, duration and failures, and the sessions that they use.
#pragma once

#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"
#include "storage/error.hpp"

namespace deployd::storage {

/// The queries of `Store`.
enum class QueryKind : std::uint8_t { deployment, list, open_cursor, api_token, ping };
inline constexpr std::size_t query_kinds = 5;

constexpr std::string_view to_string(QueryKind kind) noexcept {
  constexpr std::array<std::string_view, query_kinds> names{"deployment", "list", "open_cursor", "api_token", "ping"};
  return names[static_cast<std::size_t>(kind)];
}

/// The expected failures of a query.
enum class QueryFailure : std::uint8_t { unavailable, overloaded, timeout, busy, corrupt };
inline constexpr std::size_t query_failures = 5;

constexpr std::string_view to_string(QueryFailure failure) noexcept {
  constexpr std::array<std::string_view, query_failures> names{"unavailable", "overloaded", "timeout", "busy",
                                                               "corrupt"};
  return names[static_cast<std::size_t>(failure)];
}

inline QueryFailure kind_of(boost::system::error_code failure) noexcept {
  if (failure == errc::overloaded) return QueryFailure::overloaded;
  if (failure == errc::timeout) return QueryFailure::timeout;
  if (failure == errc::busy) return QueryFailure::busy;
  if (failure == errc::corrupt) return QueryFailure::corrupt;
  return QueryFailure::unavailable;
}

/// The queries of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) QueryMetrics {
  std::array<base::DurationHistogram, query_kinds> durations;
  std::array<std::array<base::Counter, query_failures>, query_kinds> failures;
};

/// The sessions of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) PoolMetrics {
  base::Counter sessions;  // open sessions
  base::Counter busy;      // those of them that run a query
  base::Counter queued;    // queries waiting for a session
  base::DurationHistogram waits;
};

/// Measures one query from its construction on, waiting included.
class QueryTimer {
 public:
  QueryTimer(QueryMetrics& metrics, QueryKind kind) noexcept
      : metrics_(metrics), kind_(static_cast<std::size_t>(kind)), start_(std::chrono::steady_clock::now()) {}

  /// Counts the query when its result is known.
  template <typename T>
  void done(boost::system::result<T> const& answer) noexcept {
    metrics_.durations[kind_].observe(std::chrono::steady_clock::now() - start_);
    if (!answer) [[unlikely]]
      metrics_.failures[kind_][static_cast<std::size_t>(kind_of(answer.error()))].add();
  }

 private:
  QueryMetrics& metrics_;
  std::size_t kind_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace deployd::storage
