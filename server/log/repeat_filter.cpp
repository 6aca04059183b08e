#include "server/log/repeat_filter.hpp"

namespace deployd::server {

bool RepeatFilter::admit(spdlog::level::level_enum level, std::string_view line, TimePoint now) {
  auto const known = windows_.find(line);
  if (known != windows_.end()) return ++known->second.seen <= burst;
  if (windows_.size() < most_lines) windows_.emplace(line, Window{now + window, level, 1});
  return true;
}

std::vector<RepeatFilter::HeldBack> RepeatFilter::take_ended(TimePoint now) {
  std::vector<HeldBack> held_back;
  std::erase_if(windows_, [&](auto const& entry) {
    auto const& [line, state] = entry;
    if (state.ends > now) return false;
    if (state.seen > burst) held_back.push_back({state.level, line, state.seen - burst});
    return true;
  });
  return held_back;
}

}  // namespace deployd::server
