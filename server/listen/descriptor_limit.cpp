#include "server/listen/descriptor_limit.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>

namespace deployd::server {
namespace {

// Enough for scrapers and load balancers.
constexpr std::size_t most_admin_connections = 64;
constexpr std::size_t fewest_admin_connections = 4;
constexpr std::size_t admin_part_of_limit = 16;

rlimit current_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
  return limit;
}

/// Returns the limit in force afterwards.
std::size_t raise_limit(std::size_t wanted) noexcept {
  auto limit = current_limit();
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : current_limit().rlim_cur;
}

[[noreturn]] void fail(std::size_t limit, std::size_t needed) {
  throw UnavailableError(
      fmt::format("only {} descriptors may be open, and {} are needed beside connections: raise that limit "
                  "(LimitNOFILE=, ulimit -n), or lower --workers",
                  limit, needed));
}

}  // namespace

std::size_t hard_descriptor_limit() noexcept {
  return current_limit().rlim_max;
}

void allow_descriptors(std::size_t needed, std::size_t wanted) {
  auto const limit = raise_limit(wanted);
  if (limit < needed) fail(limit, needed);
}

std::size_t connections_within_limit(std::size_t wanted, DescriptorReserve const& reserve) {
  auto const beside = reserve.open + reserve.serving;
  auto const limit = raise_limit(beside + reserve.lists + wanted);
  if (limit < beside + 2) fail(limit, beside + 2);
  auto const left = limit - beside;
  auto const possible = left - std::min(reserve.lists, left / 2);
  if (possible >= wanted) return wanted;
  spdlog::warn(
      "--max-connections: only {} of {} connections can be open at a time, since only {} descriptors may be open: "
      "raise "
      "that limit to {} (LimitNOFILE=, ulimit -n), or lower --max-connections",
      possible, wanted, limit, beside + reserve.lists + wanted);
  return possible;
}

std::size_t admin_connections() noexcept {
  return std::clamp<std::size_t>(current_limit().rlim_cur / admin_part_of_limit, fewest_admin_connections,
                                 most_admin_connections);
}

}  // namespace deployd::server
