#include "server/listen/resolve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/file_descriptor.hpp"
#include "server/listen/listener.hpp"

namespace deployd::server {
namespace {

using boost::asio::ip::tcp;

[[noreturn]] void fail(HostAddress const& address, std::string const& why) {
  throw ListenError(fmt::format("cannot listen on {}: {}", to_string(address), why));
}

tcp::resolver::results_type look_up(HostAddress const& address) {
  boost::asio::io_context loop;
  boost::system::error_code failure;
  auto found = tcp::resolver(loop).resolve(address.name, std::to_string(address.port),
                                           tcp::resolver::passive | tcp::resolver::numeric_service, failure);
  if (failure) fail(address, fmt::format("the name '{}' cannot be resolved: {}", address.name, failure.message()));
  return found;
}

/// False for an address of another machine, or of a family that is disabled.
bool is_of_this_machine(TcpAddress endpoint) {
  endpoint.port(0);
  base::FileDescriptor const socket(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return errno != EAFNOSUPPORT;
  if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) return true;
  return errno != EADDRNOTAVAIL;
}

}  // namespace

std::vector<ListenAddress> resolve(ListenAddress const& address) {
  auto const* const host = std::get_if<HostAddress>(&address);
  if (host == nullptr) return {address};
  std::vector<ListenAddress> ours;
  std::vector<std::string> others;
  for (auto const& entry : look_up(*host)) {
    auto const endpoint = entry.endpoint();
    auto const numeric = endpoint.address();
    // A link-local address also needs the name of an interface.
    if (numeric.is_v6() && numeric.to_v6().is_link_local()) continue;
    if (!is_of_this_machine(endpoint))
      others.push_back(numeric.to_string());
    else if (std::ranges::find(ours, ListenAddress(endpoint)) == ours.end())
      ours.emplace_back(endpoint);
  }
  if (!ours.empty()) return ours;
  if (others.empty()) fail(*host, fmt::format("the name '{}' has no address", host->name));
  fail(*host, fmt::format("'{}' is {}, not an address of this machine", host->name, fmt::join(others, ", ")));
}

}  // namespace deployd::server
