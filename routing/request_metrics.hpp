// Counters of the requests of one worker.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"
#include "routing/request.hpp"

namespace deployd::routing {

/// The statuses of responses. 0 counts all others, which should not occur.
inline constexpr auto counted_statuses =
    std::to_array<std::uint16_t>({0, 200, 204, 304, 400, 401, 404, 412, 429, 500, 501, 503});

/// The statuses of responses to requests that could not be parsed; 0 as above.
inline constexpr auto unread_statuses = std::to_array<std::uint16_t>({0, 400, 408, 413, 414, 417, 431, 501, 505});

inline constexpr std::size_t method_count = 4;

namespace detail {

inline constexpr auto status_indexes = [] {
  std::array<std::uint8_t, 512> table{};
  for (std::size_t index = 0; index < counted_statuses.size(); ++index)
    table[counted_statuses[index]] = static_cast<std::uint8_t>(index);
  return table;
}();

}  // namespace detail

/// Returns the index of a status in `counted_statuses`.
constexpr std::size_t status_index(unsigned status) noexcept {
  return detail::status_indexes[status % detail::status_indexes.size()];
}

/// The route, method and status under which a request is counted, as one number that can be compared quickly.
enum class RequestKind : std::uint32_t { none = ~std::uint32_t{0} };

constexpr RequestKind kind_of(RouteLabel route, Method method, unsigned status) noexcept {
  return static_cast<RequestKind>(status << 16U | static_cast<unsigned>(method) << 8U | route);
}

/// The counters of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) RequestMetrics {
  using ByStatus = std::array<base::Counter, std::bit_ceil(counted_statuses.size())>;
  using ByMethod = std::array<ByStatus, method_count>;

  std::array<ByMethod, route_labels> answered;  // by route, method and index in `counted_statuses`
  std::array<base::DurationHistogram, route_labels> durations;
  std::array<base::Counter, unread_statuses.size()> unread;
  base::Counter rate_limited;
  base::Counter shed;  // refused because the event loop was overloaded

  void count_unread(unsigned status) noexcept {
    auto const* const found = std::ranges::find(unread_statuses, status);
    unread[found == unread_statuses.end() ? 0 : static_cast<std::size_t>(found - unread_statuses.begin())].add();
  }
};

/// Requests of one kind whose responses are sent together: usually one, or several that were pipelined in one read.
/// They are counted and timed together, from when the first of them was complete until the kernel has accepted the
/// responses. A batch thus needs two clock reads, however many requests it contains.
class RequestBatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void begin(TimePoint now) noexcept { begun_ = now; }

  bool empty() const noexcept { return count_ == 0; }

  /// True if `add` counts requests of this kind. False for any kind in a new batch.
  bool takes(RequestKind kind) const noexcept { return kind_ == kind; }

  /// Changes the kind, whose requests are counted in `metrics`, which must outlive this object. The batch must be
  /// empty.
  void turn_to(RouteLabel route, Method method, unsigned status, RequestMetrics& metrics) noexcept {
    kind_ = kind_of(route, method, status);
    answered_ = &metrics.answered[route][static_cast<std::size_t>(method)][status_index(status)];
    durations_ = &metrics.durations[route];
  }

  void add() noexcept { ++count_; }

  /// Counts the added requests, of which there must be at least one, and empties the batch.
  [[gnu::always_inline]] void end(TimePoint now) noexcept {
    answered_->add(count_);
    durations_->observe(now - begun_, count_);
    count_ = 0;
  }

 private:
  TimePoint begun_;
  base::Counter* answered_ = nullptr;
  base::DurationHistogram* durations_ = nullptr;
  std::uint32_t count_ = 0;
  RequestKind kind_ = RequestKind::none;
};

}  // namespace deployd::routing
