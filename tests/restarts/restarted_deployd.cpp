#include "tests/restarts/restarted_deployd.hpp"

#include <signal.h>

#include <stdexcept>
#include <utility>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

std::uint16_t port_in(std::string const& line) {
  return static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
}

}  // namespace

RestartedDeployd::RestartedDeployd(RestartKind kind, std::string database, std::vector<std::string> options)
    : kind_(kind), database_(std::move(database)), options_(std::move(options)) {
  if (kind_ == RestartKind::passed) socket_ = std::make_unique<ListeningSocket>();
  server_ = start("127.0.0.1:0", false);
  port_ = port_in(server_->wait_for_line("listening on 127.0.0.1:"));
}

std::unique_ptr<Process> RestartedDeployd::start(std::string const& address, bool take_over) const {
  Command command;
  command.arguments = {deployd_program(), "serve", "--database", database_, "--listen", address};
  command.arguments.insert(command.arguments.end(), options_.begin(), options_.end());
  if (take_over) command.arguments.emplace_back("--take-over");
  if (socket_) command.passed_sockets.push_back(socket_->fd());
  return std::make_unique<Process>(command);
}

void RestartedDeployd::end(Process& server) {
  server.signal(SIGTERM);
  auto const outcome = server.wait();
  if (outcome.status != 0) throw std::runtime_error("deployd did not end well: " + outcome.err);
}

void RestartedDeployd::restart() {
  auto const address = "127.0.0.1:" + std::to_string(port_);
  if (kind_ == RestartKind::passed) end(*server_);
  auto next = start(address, kind_ == RestartKind::rolling);
  next->wait_for_line("listening on " + address);
  if (kind_ == RestartKind::rolling) end(*server_);
  server_ = std::move(next);
}

void RestartedDeployd::stop() {
  end(*server_);
}

}  // namespace deployd::tests
