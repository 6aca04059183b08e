#include "tests/cluster/cluster.hpp"

#include <signal.h>

#include <stdexcept>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

auto const data = R"({"patterns":[{"id":1,"name":"P"}],)"
                  R"("deployments":[{"id":1,"pattern_id":1,"name":"0"},{"id":2,"pattern_id":1,"name":"first"}]})";

}  // namespace

Cluster::Cluster() : store_(StoreKind::postgresql, data), token_(store_.create_token()), servers_(size) {
  for (std::size_t server = 0; server < size; ++server) ports_.push_back(static_cast<std::uint16_t>(free_port()));
  for (std::size_t server = 0; server < size; ++server) start(server);
  haproxy_ = std::make_unique<Haproxy>(ports_);
  for (std::size_t server = 0; server < size; ++server) wait_until_up(server);
}

void Cluster::start(std::size_t server) {
  auto const address = "127.0.0.1:" + std::to_string(ports_.at(server));
  Command command;
  // With --drain-delay as the sample configuration of HAProxy asks for.
  command.arguments = {deployd_program(), "serve",     "--database", store_.url(),    "--listen",
                       address,           "--workers", "1",          "--drain-delay", "2s"};
  servers_[server] = std::make_unique<Process>(command);
  servers_[server]->wait_for_line("listening on " + address);
}

void Cluster::restart(std::size_t server) {
  servers_.at(server)->signal(SIGTERM);
  auto const outcome = servers_[server]->wait();
  if (outcome.status != 0) throw std::runtime_error("deployd did not end well: " + outcome.err);
  start(server);
  wait_until_up(server);
}

void Cluster::kill(std::size_t server) {
  servers_.at(server)->signal(SIGKILL);
  servers_[server]->wait();
}

void Cluster::wait_until_up(std::size_t server) const {
  if (!eventually(30s, [&] { return haproxy_->up(server); }))
    throw std::runtime_error("HAProxy does not notice that a server is there");
}

std::chrono::milliseconds Cluster::time_until_seen_by_all(std::string const& name) const {
  auto const get = request("GET", "/api/v1/deployments/2", bearer(token_));
  std::vector<HttpConnection> connections;
  for (auto const port : ports_) connections.emplace_back(port);
  for (auto& connection : connections) connection.ask(get);
  auto const session = storage::open_session(*storage::parse_database_url(store_.url()), storage::Access::write);
  *session << "UPDATE deployd.deployments SET name = '" << name << "' WHERE id = 2";
  auto const committed = Clock::now();
  for (auto& connection : connections)
    if (!eventually(10s, [&] { return connection.ask(get).body.find(name) != std::string::npos; }))
      throw std::runtime_error("a server does not notice a change");
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - committed);
}

}  // namespace deployd::tests
