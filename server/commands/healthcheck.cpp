// `healthcheck`: checks that the deployd with these options answers /healthz.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

#include "server/commands/commands.hpp"
#include "server/commands/health_request.hpp"
#include "server/listen/listener.hpp"
#include "server/options/serve_options.hpp"
#include "server/options/values.hpp"

namespace deployd::server {
namespace {

using std::chrono::milliseconds;

struct Target {
  ListenAddress address;
  std::string origin;
  bool tls;
};

bool is_unix(ListenAddress const& address) noexcept {
  return std::holds_alternative<UnixAddress>(address);
}

/// Returns the admin address, which has no TLS and accepts connections when all connections of the API are in use.
/// Otherwise an address of the API: preferably a Unix domain socket, which has no TLS either.
Target choose_target(ServeOptions const& options) {
  if (options.admin_listen) return {*options.admin_listen, options.admin_listen_origin, false};
  auto const local = std::ranges::find_if(options.listen, is_unix);
  auto const& address = local == options.listen.end() ? options.listen.front() : *local;
  return {address, options.listen_origin, !options.tls.certificates.empty() && !is_unix(address)};
}

bool has_free_port(ListenAddress const& address) noexcept {
  if (auto const* const tcp = std::get_if<TcpAddress>(&address)) return tcp->port == 0;
  auto const* const host = std::get_if<HostAddress>(&address);
  return host != nullptr && host->port == 0;
}

milliseconds to_timeout(std::string_view text) {
  return parse_duration(text, {milliseconds(1), std::chrono::hours(1)});
}

}  // namespace

int run_healthcheck(Settings const& settings) {
  auto const options = read_address_options(settings);
  auto const timeout = settings.read("timeout", to_timeout).value_or(std::chrono::seconds(5));
  auto const target = choose_target(options);
  auto const name = to_string(target.address);
  if (has_free_port(target.address))
    throw ConfigurationError(
        fmt::format("{}: '{}' is another port at each start; healthcheck needs a fixed one", target.origin, name));
  if (target.tls && options.tls.client_ca_file)
    throw ConfigurationError(
        "--tls-client-ca: healthcheck has no client certificate; add --admin-listen, which it asks then");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto const status = ask_for_health(target.address, target.tls, timeout);
    if (status != 200) throw std::runtime_error(fmt::format("/healthz is answered with {}", status));
  } catch (std::runtime_error const& failure) {
    throw UnavailableError(fmt::format("{}: no healthy deployd on {}: {}", target.origin, name, failure.what()));
  }
  return 0;
}

}  // namespace deployd::server
