// The requests of one worker, counted.
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
#include "routing/route_label.hpp"

namespace deployd::routing {

/// The statuses of answers. 0 stands for all others, which there should be none of.
inline constexpr auto counted_statuses =
    std::to_array<std::uint16_t>({0, 200, 204, 304, 400, 401, 404, 412, 429, 500, 501, 503});

/// The statuses of answers to requests that could not be read; 0 as above.
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

/// Where a status stands in `counted_statuses`.
constexpr std::size_t status_index(unsigned status) noexcept {
  return detail::status_indexes[status % detail::status_indexes.size()];
}

/// What a request is counted under: its route, its method and its status, in one number that is quickly compared.
enum class RequestKind : std::uint32_t { none = ~std::uint32_t{0} };

constexpr RequestKind kind_of(RouteLabel route, Method method, unsigned status) noexcept {
  return static_cast<RequestKind>(status << 16U | static_cast<unsigned>(method) << 8U | route);
}

/// Of one worker: it writes, any thread reads.
struct alignas(base::cache_line) RequestMetrics {
  using ByStatus = std::array<base::Counter, std::bit_ceil(counted_statuses.size())>;
  using ByMethod = std::array<ByStatus, method_count>;

  std::array<ByMethod, route_labels> answered;  // by route, method and place in `counted_statuses`
  std::array<base::DurationHistogram, route_labels> durations;
  std::array<base::Counter, unread_statuses.size()> unread;
  base::Counter rate_limited;
  base::Counter shed;  // refused since the event loop had too much to do

  void count_unread(unsigned status) noexcept {
    auto const* const found = std::ranges::find(unread_statuses, status);
    unread[found == unread_statuses.end() ? 0 : static_cast<std::size_t>(found - unread_statuses.begin())].add();
  }
};

/// Requests of one kind whose answers are sent together: most often one, or those that were pipelined in one read.
/// They are counted and timed together, from when the first of them was complete until the kernel has taken the
/// answers, so that a batch costs two looks at the clock, however many requests there are in it.
class RequestBatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void begin(TimePoint now) noexcept { begun_ = now; }

  bool empty() const noexcept { return count_ == 0; }

  /// True if `add` counts requests of this kind. A new batch takes no kind.
  bool takes(RequestKind kind) const noexcept { return kind_ == kind; }

  /// Takes another kind from now on, and counts it in `metrics`, which must outlive this. Must be empty.
  void turn_to(RouteLabel route, Method method, unsigned status, RequestMetrics& metrics) noexcept {
    kind_ = kind_of(route, method, status);
    answered_ = &metrics.answered[route][static_cast<std::size_t>(method)][status_index(status)];
    durations_ = &metrics.durations[route];
  }

  void add() noexcept { ++count_; }

  /// Counts what was added, of which there must be something and is nothing then.
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
