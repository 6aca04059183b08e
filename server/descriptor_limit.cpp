#include "server/descriptor_limit.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>

#include "server/serve.hpp"

namespace deployd::server {

void allow_descriptors(std::size_t needed, std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  if (limit.rlim_cur < needed)
    throw ResourceError(
        fmt::format("only {} descriptors may be open, and {} are needed beside connections: raise that limit "
                    "(LimitNOFILE=, ulimit -n), or lower --workers",
                    limit.rlim_cur, needed));
  spdlog::warn("only {} descriptors may be open, of {} that --max-connections may need", limit.rlim_cur, wanted);
}

}  // namespace deployd::server
