// `healthcheck`: checks that the deployd with these options answers /healthz.
#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include "server/commands/commands.hpp"
#include "server/fetch/fetch.hpp"
#include "server/listen/listener.hpp"
#include "server/options/serve_options.hpp"
#include "server/options/values.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;
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

/// Returns the URL that a client on the same machine requests. For all addresses that is one with a loopback address.
/// Sets where to connect to if the URL cannot say it.
Url url_for_client(Target const& target, FetchOptions& request) {
  Url url{.tls = target.tls, .host = "localhost", .target = "/healthz"};
  if (auto const* const local = std::get_if<UnixAddress>(&target.address)) {
    request.endpoints = {asio::local::stream_protocol::endpoint(local->path)};
  } else if (auto const* const named = std::get_if<HostAddress>(&target.address)) {
    url.port = named->port;
    if (!named->name.empty()) url.host = named->name;
    if (named->name.empty())
      request.endpoints = {asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), named->port),
                           asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), named->port)};
  } else {
    auto const& tcp = std::get<TcpAddress>(target.address);
    url.port = tcp.port();
    url.host = tcp.address().to_string();
    if (tcp.address().is_unspecified()) url.host = tcp.address().is_v4() ? "127.0.0.1" : "::1";
  }
  return url;
}

milliseconds to_timeout(std::string_view text) {
  return parse_duration(text, {milliseconds(1), std::chrono::hours(1)});
}

}  // namespace

int run_healthcheck(Settings const& settings, Operands const&) {
  auto const options = read_address_options(settings);
  auto const timeout = settings.read("timeout", to_timeout).value_or(std::chrono::seconds(5));
  auto const target = choose_target(options);
  auto const name = to_string(target.address);
  if (port_of(target.address) == 0)
    throw ConfigurationError(
        fmt::format("{}: '{}' is another port at each start; healthcheck needs a fixed one", target.origin, name));
  if (target.tls && options.tls.client_ca_file)
    throw ConfigurationError(
        "--tls-client-ca: healthcheck has no client certificate; add --admin-listen, which it asks then");
  FetchOptions request{.timeout = timeout, .max_silence = timeout, .follows_redirects = false};
  auto const url = url_for_client(target, request);
  // Does not verify the certificate: its names are those for clients on other machines.
  auto const answer = fetch(url, request, std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client));
  if (answer) return 0;
  auto const why = answer.error().what.substr(shown(url).size());
  throw UnavailableError(fmt::format("{}: no healthy deployd on {}{}", target.origin, name, why));
}

}  // namespace deployd::server
