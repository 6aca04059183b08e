#include "storage/session/postgresql_hosts.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;

/// Splits a list at commas. Returns nothing for an empty text.
std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  if (list.empty()) return parts;
  for (auto const part : std::views::split(list, ',')) parts.emplace_back(part.begin(), part.end());
  return parts;
}

/// Returns the value of a parameter for a host. A single value applies to all hosts.
std::string value_of(std::vector<std::string> const& values, std::size_t host) {
  if (values.empty()) return "";
  return values[values.size() == 1 ? 0 : std::min(host, values.size() - 1)];
}

ReadFrom meaning_of(std::string_view attributes) {
  if (attributes == "any") return ReadFrom::any;
  if (attributes == "prefer-standby") return ReadFrom::prefer_standby;
  if (attributes == "standby" || attributes == "read-only") return ReadFrom::standby;
  return ReadFrom::primary;
}

/// A connection being established.
struct Probe {
  Probe(std::size_t of, std::string const& uri) : host(of), connection(PQconnectStart(uri.c_str()), &PQfinish) {}

  std::size_t host;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;

  bool alive() const { return state != PGRES_POLLING_FAILED && PQstatus(connection.get()) != CONNECTION_BAD; }
  pollfd awaited() const {
    auto const events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    return {PQsocket(connection.get()), static_cast<short>(events), 0};
  }
};

/// Continues the connections that are ready. Returns the host of one that was established.
std::optional<std::size_t> advance(std::vector<Probe>& probes, Clock::time_point deadline) {
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  std::vector<pollfd> awaited;
  awaited.reserve(probes.size());
  for (auto const& probe : probes) awaited.push_back(probe.awaited());
  ::poll(awaited.data(), awaited.size(), static_cast<int>(std::max<long long>(left.count(), 0)));
  for (std::size_t index = 0; index < probes.size(); ++index) {
    if (awaited[index].revents == 0) continue;
    auto& probe = probes[index];
    probe.state = PQconnectPoll(probe.connection.get());
    if (probe.state == PGRES_POLLING_OK) return probe.host;
  }
  std::erase_if(probes, [](Probe const& probe) { return !probe.alive(); });
  return std::nullopt;
}

}  // namespace

PostgresqlUrl with_parameter(PostgresqlUrl url, std::string_view name, std::string_view value) {
  url.parameters.insert_or_assign(std::string(name), std::string(value));
  return url;
}

PostgresqlHosts::PostgresqlHosts(PostgresqlUrl url) : url_(std::move(url)) {
  auto const names = split(url_["host"]);
  auto const addresses = split(url_["hostaddr"]);
  auto const ports = split(url_["port"]);
  auto const count = std::max({names.size(), addresses.size(), std::size_t{1}});
  for (std::size_t host = 0; host < count; ++host) {
    auto one = with_parameter(url_, "host", value_of(names, host));
    if (!addresses.empty()) one = with_parameter(std::move(one), "hostaddr", value_of(addresses, host));
    if (!ports.empty()) one = with_parameter(std::move(one), "port", value_of(ports, host));
    hosts_.push_back(std::move(one));
  }
  if (several()) read_from_ = meaning_of(url_["target_session_attrs"]);
}

PostgresqlUrl PostgresqlHosts::url(std::size_t host, Role role) const {
  return with_parameter(several() ? hosts_[host] : url_, "target_session_attrs",
                        role == Role::primary ? "primary" : "standby");
}

std::optional<std::size_t> PostgresqlHosts::find(Role role, std::chrono::milliseconds time,
                                                 std::span<std::size_t const> passed_over) const {
  auto const deadline = Clock::now() + time;
  std::vector<Probe> probes;
  for (std::size_t host = 0; host < hosts_.size(); ++host)
    if (std::ranges::find(passed_over, host) == passed_over.end())
      probes.emplace_back(host, connection_uri(url(host, role)));
  std::erase_if(probes, [](Probe const& probe) { return !probe.alive(); });
  while (!probes.empty() && Clock::now() < deadline)
    if (auto const host = advance(probes, deadline)) return host;
  return std::nullopt;
}

}  // namespace deployd::storage
