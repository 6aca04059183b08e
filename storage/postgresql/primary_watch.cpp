#include "storage/postgresql/primary_watch.hpp"

#include <charconv>

namespace deployd::storage {

std::optional<LogPosition> parse_log_position(std::string_view text) noexcept {
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  auto const* const end = text.data() + text.size();
  auto const first = std::from_chars(text.data(), end, high, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return std::nullopt;
  auto const second = std::from_chars(first.ptr + 1, end, low, 16);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return LogPosition{high} << 32 | low;
}

void PrimaryWatch::arrived(std::size_t host) noexcept {
  if (host_ && *host_ != host) ++moves_;
  host_ = host;
  ++arrivals_;
}

void PrimaryWatch::tell(LogPosition position, Clock::time_point asked) {
  std::scoped_lock const lock(mutex_);
  told_[next_] = {position, asked};
  next_ = (next_ + 1) % told_.size();
  first_told_.notify_all();
}

void PrimaryWatch::wait_until_told(std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  first_told_.wait_for(lock, time, [this] { return told_.front().position != 0; });
}

std::optional<PrimaryWatch::Clock::time_point> PrimaryWatch::complete_until(LogPosition replayed) const {
  std::scoped_lock const lock(mutex_);
  std::optional<Clock::time_point> latest;
  for (auto const& told : told_)
    if (told.position != 0 && told.position <= replayed && (!latest || told.asked > *latest)) latest = told.asked;
  return latest;
}

}  // namespace deployd::storage
