#include "tests/allocations/served_in_process.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <sstream>

#include "auth/api_token.hpp"
#include "auth/jwt/signer.hpp"
#include "server/serve.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/transfer/import.hpp"
#include "tests/allocations/allocation_count.hpp"
#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

std::string rows(int patterns, int deployments_each) {
  std::string lines;
  for (int pattern = 1, id = 1; pattern <= patterns; ++pattern) {
    auto const number = std::to_string(pattern);
    lines += R"({"pattern":{"id":)" + number + R"(,"name":"PATTERN_)" + number + "\"}}\n";
    for (int i = 0; i < deployments_each; ++i, ++id) {
      lines += R"({"deployment":{"id":)" + std::to_string(id) + R"(,"pattern_id":)" + number +
               R"(,"name":"deployment to the warehouse"}})" + '\n';
    }
  }
  return lines;
}

bool answers_at(std::string const& socket) {
  try {
    return HttpConnection(socket).ask(request("GET", "/healthz")).status == 200;
  } catch (std::exception const&) {
    return false;
  }
}

}  // namespace

ServedInProcess::ServedInProcess(int patterns, int deployments_each, std::size_t cache_bytes) {
  spdlog::set_level(spdlog::level::critical);
  server::ServeOptions options;
  tls_port_ = static_cast<std::uint16_t>(free_port());
  options.listen = {server::UnixAddress{socket_},
                    server::TcpAddress(boost::asio::ip::address_v4::loopback(), tls_port_)};
  options.tls.certificates = {{files_.certificate, files_.key}};
  options.max_connections = most_connections;
  options.workers = 1;
  options.cache_bytes = cache_bytes;
  options.database.url = storage::SqliteUrl{(directory_.path() / "deployd.db").string()};
  options.keys.secret = jwt_secret;

  std::istringstream stream(rows(patterns, deployments_each));
  storage::import(options.database.url, {}, {{"rows", &stream}}, {}, [](storage::ImportProgress const&) {});
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto const token = auth::sign_hs256({.subject = "test", .issued_at = now, .expires = now + std::chrono::hours(1)},
                                      *options.keys.secret);
  authorization_ = bearer(token);

  auto const api_token = auth::make_api_token();
  storage::add_token(options.database.url, {}, "test", auth::hash_of(api_token), std::nullopt);
  api_token_ = bearer(api_token);

  server_ = std::thread([options] {
    // It may still be starting when the worker answers already.
    leave_out_this_thread();
    server::serve(options, {}, [] { return server::Settings(); });
  });
  if (!eventually(std::chrono::seconds(30), [this] { return answers_at(socket_); }))
    throw std::runtime_error("the server does not answer at " + socket_);
}

ServedInProcess::~ServedInProcess() {
  ::kill(::getpid(), SIGTERM);
  server_.join();
}

}  // namespace deployd::tests
