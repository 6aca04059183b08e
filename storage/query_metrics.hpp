// Metrics of one worker's queries: number, duration and failures.
#pragma once

#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"

namespace deployd::storage {

/// The queries of `Store`.
enum class QueryKind : std::uint8_t { deployment, list, open_cursor, api_token, ping };
inline constexpr std::size_t query_kinds = 5;
std::string_view to_string(QueryKind kind) noexcept;

/// The expected failures of a query.
enum class QueryFailure : std::uint8_t { unavailable, overloaded, timeout, busy, corrupt };
inline constexpr std::size_t query_failures = 5;
std::string_view to_string(QueryFailure failure) noexcept;

/// The metrics of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) QueryMetrics {
  std::array<base::DurationHistogram, query_kinds> durations;
  std::array<std::array<base::Counter, query_failures>, query_kinds> failures;
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
      count_failure(answer.error());
  }

 private:
  void count_failure(boost::system::error_code failure) noexcept;

  QueryMetrics& metrics_;
  std::size_t kind_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace deployd::storage
