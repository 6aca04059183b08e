#include "server/listen/resolve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "base/file_descriptor.hpp"
#include "server/listen/listener.hpp"

namespace deployd::server {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[noreturn]] void fail(HostAddress const& address, std::string const& why) {
  throw ListenError(fmt::format("cannot listen on {}: {}", to_string(address), why));
}

AddressList look_up(HostAddress const& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  auto const* const name = address.name.empty() ? nullptr : address.name.c_str();
  auto const failure = ::getaddrinfo(name, std::to_string(address.port).c_str(), &wanted, &found);
  AddressList list(found, &::freeaddrinfo);
  if (failure != 0)
    fail(address, fmt::format("the name '{}' cannot be resolved: {}", address.name,
                              failure == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failure)));
  return list;
}

/// False for an address of another machine, or of a family that is disabled.
bool is_of_this_machine(addrinfo const& address) {
  base::FileDescriptor const socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return errno != EAFNOSUPPORT;
  sockaddr_storage any_port{};
  std::memcpy(&any_port, address.ai_addr, address.ai_addrlen);
  // The port is at the same position for both families.
  reinterpret_cast<sockaddr_in*>(&any_port)->sin_port = 0;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&any_port), address.ai_addrlen) == 0) return true;
  return errno != EADDRNOTAVAIL;
}

std::string numeric(addrinfo const& address) {
  std::array<char, NI_MAXHOST> text{};
  auto const failure =
      ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return failure == 0 ? text.data() : "";
}

bool is_tcp(addrinfo const& address) noexcept {
  if (address.ai_family == AF_INET) return true;
  if (address.ai_family != AF_INET6) return false;
  // A link-local address also needs the name of an interface.
  return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<sockaddr_in6 const*>(address.ai_addr)->sin6_addr);
}

}  // namespace

std::vector<ListenAddress> resolve(ListenAddress const& address) {
  auto const* const host = std::get_if<HostAddress>(&address);
  if (host == nullptr) return {address};
  auto const found = look_up(*host);
  std::vector<std::string> ours;
  std::vector<std::string> others;
  for (auto const* entry = found.get(); entry != nullptr; entry = entry->ai_next) {
    if (!is_tcp(*entry)) continue;
    auto& list = is_of_this_machine(*entry) ? ours : others;
    auto text = numeric(*entry);
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }
  if (ours.empty()) {
    if (others.empty()) fail(*host, fmt::format("the name '{}' has no address", host->name));
    fail(*host, fmt::format("'{}' is {}, not an address of this machine", host->name, fmt::join(others, ", ")));
  }
  std::vector<ListenAddress> endpoints;
  for (auto& text : ours) endpoints.emplace_back(TcpAddress{std::move(text), host->port});
  return endpoints;
}

}  // namespace deployd::server
