#include "server/options/endpoints.hpp"

#include <fmt/format.h>

#include <string>

#include "server/listen/listener.hpp"
#include "server/listen/resolve.hpp"

namespace deployd::server {
namespace {

Endpoints resolve_with_origin(ListenAddress const& address, std::string const& origin) {
  try {
    return resolve(address);
  } catch (ListenError const& failure) {
    throw ListenError(fmt::format("{}: {}", origin, failure.what()));
  }
}

void refuse_overlap(Endpoints const& before, Endpoints const& endpoints, std::string const& origin,
                    ListenAddress const& written) {
  for (auto const& one : before)
    for (auto const& other : endpoints)
      if (overlap(one, other))
        throw ListenError(fmt::format("{}: '{}' resolves to {}, which overlaps with {}", origin, to_string(written),
                                      to_string(other), to_string(one)));
}

}  // namespace

std::vector<Endpoints> resolve_listen(ServeOptions const& options) {
  std::vector<Endpoints> all;
  for (auto const& address : options.listen) {
    auto endpoints = resolve_with_origin(address, options.listen_origin);
    for (auto const& before : all) refuse_overlap(before, endpoints, options.listen_origin, address);
    all.push_back(std::move(endpoints));
  }
  return all;
}

Endpoints resolve_admin_listen(ServeOptions const& options, std::vector<Endpoints> const& listen) {
  if (!options.admin_listen) return {};
  auto endpoints = resolve_with_origin(*options.admin_listen, options.admin_listen_origin);
  for (auto const& before : listen)
    refuse_overlap(before, endpoints, options.admin_listen_origin, *options.admin_listen);
  return endpoints;
}

}  // namespace deployd::server
