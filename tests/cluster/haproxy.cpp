#include "tests/cluster/haproxy.hpp"

#include <array>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::array names{"one", "two", "three"};

// Columns of `show stat`.
constexpr std::size_t redispatches = 16;
constexpr std::size_t status = 17;

void replace(std::string& text, std::string_view what, std::string const& by) {
  auto const at = text.find(what);
  if (at == text.npos) throw std::runtime_error("haproxy.cfg has no " + std::string(what));
  text.replace(at, what.size(), by);
}

bool answers(std::uint16_t port, std::string const& admin) {
  try {
    HttpConnection const clients(port);
    HttpConnection const statistics(admin);
    return true;
  } catch (std::exception const&) {
    return false;
  }
}

}  // namespace

Haproxy::Haproxy(std::vector<std::uint16_t> const& servers, std::optional<Tls> const& tls)
    : port_(static_cast<std::uint16_t>(free_port())) {
  auto const here = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  auto settings = read_file(DEPLOYD_SOURCE_DIR "/packaging/haproxy/haproxy.cfg");
  replace(settings, "bind :8080", "bind " + here(port_));
  for (std::size_t server = 0; server < names.size(); ++server)
    replace(settings, "10.0.0." + std::to_string(server + 1) + ":8080", here(servers.at(server)));
  if (tls) {
    replace(settings, "#default-server ssl", "default-server ssl");
    replace(settings, "/etc/haproxy/deployd-ca.pem", directory_.write("ca.pem", tls->authorities));
    for (int times = 0; times < 3; ++times) replace(settings, "deployd.example.com", tls->name);
  }
  replace(settings, "maxconn 20000", "maxconn 1000");  // what a test may have descriptors for
  replace(settings, "    user haproxy\n    group haproxy\n", "");
  replace(settings, "/run/haproxy/admin.sock mode 660", (directory_.path() / "admin.sock").string());
  replace(settings, "log /dev/log local0", "log stderr format raw local0 err");
  Command command;
  command.arguments = {"/usr/sbin/haproxy", "-db", "-f", directory_.write("haproxy.cfg", settings)};
  haproxy_ = std::make_unique<Process>(command);
  auto const admin = (directory_.path() / "admin.sock").string();
  if (!eventually(10s, [&] { return answers(port_, admin); })) throw std::runtime_error("HAProxy does not start");
}

bool Haproxy::up(std::size_t server) const {
  return statistic(names.at(server), status) == "UP";
}

std::uint64_t Haproxy::redispatched() const {
  return std::stoull(statistic("BACKEND", redispatches));
}

std::string Haproxy::statistic(std::string const& server, std::size_t column) const {
  HttpConnection admin((directory_.path() / "admin.sock").string());
  admin.send("show stat\n");
  std::istringstream lines(admin.read_to_end());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("deployd," + server + ",")) continue;
    std::istringstream fields(line);
    std::string field;
    for (std::size_t index = 0; index <= column; ++index) std::getline(fields, field, ',');
    return field;
  }
  throw std::runtime_error("HAProxy knows no server " + server);
}

}  // namespace deployd::tests
