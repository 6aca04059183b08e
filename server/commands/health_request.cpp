#include "server/commands/health_request.hpp"

#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

namespace deployd::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using Socket = asio::generic::stream_protocol::socket;
using Endpoints = std::vector<asio::generic::stream_protocol::endpoint>;

void add_tcp(Endpoints& endpoints, asio::io_context& loop, std::string const& host, std::uint16_t port) {
  boost::system::error_code failure;
  auto const found = asio::ip::tcp::resolver(loop).resolve(host, std::to_string(port),
                                                           asio::ip::tcp::resolver::numeric_service, failure);
  if (failure) throw std::runtime_error(fmt::format("the name '{}' cannot be resolved: {}", host, failure.message()));
  for (auto const& entry : found) endpoints.emplace_back(entry.endpoint());
}

/// Returns the addresses to which a client on the same machine connects.
Endpoints endpoints_of(asio::io_context& loop, ListenAddress const& address) {
  if (auto const* const local = std::get_if<UnixAddress>(&address))
    return {asio::local::stream_protocol::endpoint(local->path)};
  Endpoints endpoints;
  if (auto const* const named = std::get_if<HostAddress>(&address); named != nullptr && !named->name.empty()) {
    add_tcp(endpoints, loop, named->name, named->port);
  } else if (named != nullptr) {
    add_tcp(endpoints, loop, "127.0.0.1", named->port);
    add_tcp(endpoints, loop, "::1", named->port);
  } else {
    auto const& tcp = std::get<TcpAddress>(address);
    auto const any = asio::ip::make_address(tcp.host);
    auto const* const loopback = any.is_v4() ? "127.0.0.1" : "::1";
    add_tcp(endpoints, loop, any.is_unspecified() ? loopback : tcp.host, tcp.port);
  }
  return endpoints;
}

template <typename Stream>
asio::awaitable<int> exchange(Stream& stream) {
  http::request<http::empty_body> request(http::verb::get, "/healthz", 11);
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  co_await http::async_write(stream, request, use_awaitable);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::empty_body> response;
  boost::system::error_code failure;
  co_await http::async_read_header(stream, buffer, response, asio::redirect_error(use_awaitable, failure));
  if (failure == http::error::end_of_stream) throw std::runtime_error("the connection was closed without a response");
  if (failure.category() == make_error_code(http::error::bad_version).category())
    throw std::runtime_error("the response is not HTTP");
  if (failure) throw boost::system::system_error(failure);
  co_return response.get().result_int();
}

asio::awaitable<int> exchange_over_tls(Socket& socket) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<Socket&> stream(socket, context);
  boost::system::error_code failure;
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(use_awaitable, failure));
  if (failure) throw std::runtime_error("HTTPS: " + failure.message());
  auto const status = co_await exchange(stream);
  co_return status;
}

asio::awaitable<int> ask(Endpoints endpoints, bool tls) {
  auto const executor = co_await asio::this_coro::executor;
  Socket socket(executor);
  co_await asio::async_connect(socket, endpoints, use_awaitable);
  int status = 0;
  if (tls)
    status = co_await exchange_over_tls(socket);
  else
    status = co_await exchange(socket);
  co_return status;
}

}  // namespace

int ask_for_health(ListenAddress const& address, bool tls, std::chrono::milliseconds timeout) {
  asio::io_context loop(1);
  int status = 0;
  std::exception_ptr failure;
  asio::co_spawn(loop, ask(endpoints_of(loop, address), tls), [&](std::exception_ptr thrown, int answered) {
    failure = std::move(thrown);
    status = answered;
  });
  loop.run_for(timeout);
  if (!loop.stopped()) throw std::runtime_error(fmt::format("no response within {} ms", timeout.count()));
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (boost::system::system_error const& error) {
    throw std::runtime_error(error.code().message());
  }
  return status;
}

}  // namespace deployd::server
