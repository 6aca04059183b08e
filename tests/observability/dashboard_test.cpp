// The dashboard and the alert rules in packaging/, put to a real Prometheus that scrapes deployd.
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/http_provider.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_server.hpp"
#include "tests/observability/prometheus_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

std::filesystem::path const packaging = DEPLOYD_SOURCE_DIR "/packaging";
auto const rules = packaging / "prometheus" / "deployd.rules.yml";

/// Records a mirror that has just been renewed, and returns the directory of the record.
std::string with_mirror(TemporaryDirectory const& state) {
  auto const now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  state.write("mirror", std::to_string(now) + "\nhttps://deployd.example.com\n");
  return state.path().string();
}

/// A deployd that has something to say about everything: with TLS, PostgreSQL, a limit for each token, a key set from a
/// URL and a mirror.
class ObservedDeployd {
 public:
  ObservedDeployd()
      : store_(StoreKind::postgresql),
        server_(store_.url(), {"--admin-listen", "127.0.0.1:0", "--workers", "2", "--rate-limit", "40/s", "--jwks",
                               provider_.url("/jwks"), "--state-directory", with_mirror(state_)}),
        token_(bearer(store_.create_token())),
        port_(admin_port(server_.running)) {
    server_.client.resume();
  }

  std::uint16_t admin() const noexcept { return port_; }

  /// A few requests of every kind; answers are not looked at.
  void serve() {
    ++round_;
    auto connection = server_.connect();
    for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments/1", "/api/v1/deployments/0", "/no"})
      connection.ask(request("GET", target, token_));
    connection.ask(request("GET", "/api/v1/deployments?name=" + std::to_string(round_), token_));
    connection.ask(request("PUT", "/api/v1/deployments/1", token_));
    connection.ask(request("GET", "/api/v1/deployments", bearer("dpd_unknown")));
    connection.ask("GET / HTTP/1.1\r\n\r\n");
    server_.running.ask(request("GET", "/in/plain/text"));
  }

  void reload() { server_.running.process().signal(SIGHUP); }

 private:
  HttpProvider provider_{[](auto const&, auto const&) { return Provided{jwks_of({p256_key().jwk()})}; }};
  TemporaryDirectory state_;
  FilledStore store_;
  TlsServer server_;
  std::string token_;
  std::uint16_t port_;
  int round_ = 0;
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// The queries of the dashboard, as Grafana would put them for all servers.
std::vector<std::string> dashboard_queries() {
  auto const dashboard = boost::json::parse(read_file(packaging / "grafana" / "deployd.json"));
  std::vector<std::string> queries;
  for (auto const& panel : dashboard.at("panels").as_array()) {
    if (panel.at("type") == "row") continue;
    for (auto const& target : panel.at("targets").as_array()) {
      auto query = std::string(target.at("expr").as_string());
      query = replaced(replaced(query, "$job", ".+"), "$instance", ".+");
      queries.push_back(replaced(query, "$__rate_interval", "5s"));
    }
  }
  return queries;
}

/// True if a query returns a number. A quantile of no samples is not a number.
bool finds_data(PrometheusServer const& prometheus, std::string const& query) {
  for (auto const value : prometheus.query(query))
    if (!std::isnan(value)) return true;
  return false;
}

std::set<std::string> metric_names(PrometheusServer const& prometheus) {
  auto const listed = prometheus.ask("label/__name__/values");
  std::set<std::string> names;
  for (auto const& name : listed.as_array()) names.emplace(name.as_string());
  return names;
}

/// What may be a metric of deployd's in an expression.
std::set<std::string> metrics_of(std::string const& expression) {
  std::regex const name(R"(\b(deployd|process)_[a-z_]+)");
  return {std::sregex_token_iterator(expression.begin(), expression.end(), name), std::sregex_token_iterator()};
}

/// True if no alert fires except those about latency, which can fire on a machine that is busy with other tests.
bool silent_but_for_lateness(boost::json::array const& alerts) {
  static std::set<std::string_view> const of_lateness{"DeploydSlow", "DeploydEventLoopsLate", "DeploydEventLoopStuck",
                                                      "DeploydSessionsExhausted"};
  return std::ranges::all_of(alerts, [](auto const& alert) {
    return alert.at("state") == "inactive" || of_lateness.contains(alert.at("name").as_string());
  });
}

/// The alerts of the rules, in the state that Prometheus has them in.
boost::json::array alert_rules(PrometheusServer const& prometheus) {
  auto const all = prometheus.ask("rules");
  return all.at("groups").at(0).at("rules").as_array();
}

Outcome run_program(std::vector<std::string> arguments, std::string input = {}) {
  Command command;
  command.arguments = std::move(arguments);
  command.input = std::move(input);
  return run(command);
}

}  // namespace

TEST_CASE("every query of the dashboard finds data of a deployd that serves") {
  ObservedDeployd deployd;
  PrometheusServer const prometheus(deployd.admin(), rules);
  deployd.reload();
  auto queries = dashboard_queries();
  REQUIRE(queries.size() > 40);
  auto const all_answered = eventually(20s, [&] {
    deployd.serve();
    std::erase_if(queries, [&](std::string const& query) { return finds_data(prometheus, query); });
    return queries.empty();
  });
  CAPTURE(queries);
  CHECK(all_answered);
}

TEST_CASE("every alert names metrics that there are, can be evaluated, and is silent while all is well") {
  ObservedDeployd deployd;
  PrometheusServer const prometheus(deployd.admin(), rules);
  auto const evaluated = [&] {
    deployd.serve();
    for (auto const& rule : alert_rules(prometheus))
      if (rule.at("health") == "unknown") return false;
    return finds_data(prometheus, "deployd_store_up == 1");
  };
  REQUIRE(eventually(20s, evaluated));
  auto const names = metric_names(prometheus);
  auto const alerts = alert_rules(prometheus);
  CHECK(alerts.size() > 10);
  CHECK(eventually(20s, [&] { return silent_but_for_lateness(alert_rules(prometheus)); }));
  for (auto const& alert : alerts) {
    CAPTURE(alert);
    CHECK(alert.at("health") == "ok");
    for (auto const& name : metrics_of(std::string(alert.at("query").as_string()))) {
      CAPTURE(name);
      CHECK(names.contains(name));
    }
  }
}

TEST_CASE("a store that is lost, a reload that fails and a process that is gone are alerts") {
  FilledStore const store(StoreKind::sqlite);
  TlsFilesOnDisk tls;
  RunningDeployd deployd(store.url(), tls.options({"--admin-listen", "127.0.0.1:0"}));
  PrometheusServer const prometheus(admin_port(deployd), rules);
  auto const raised = [&](std::string const& alert) {
    return eventually(20s, [&] { return finds_data(prometheus, "ALERTS{alertname=\"" + alert + "\"}"); });
  };
  auto const file = store.url().substr(std::string_view("sqlite:").size());
  std::filesystem::rename(file, file + ".away");
  CHECK(raised("DeploydStoreDown"));
  tls.issue({.until = 24h});
  deployd.process().signal(SIGHUP);
  CHECK(raised("DeploydCertificateEnds"));
  tls.directory.write("key.pem", "no key");
  deployd.process().signal(SIGHUP);
  CHECK(raised("DeploydReloadFailed"));
  deployd.process().signal(SIGKILL);
  CHECK(raised("DeploydDown"));
}

TEST_CASE("promtool finds nothing wrong with the metrics") {
  ObservedDeployd deployd;
  deployd.serve();
  auto const page = HttpConnection(deployd.admin()).ask(request("GET", "/metrics"));
  REQUIRE(page.status == 200);
  auto const check = run_program({find_program("promtool"), "check", "metrics"}, page.body);
  CAPTURE(check.out, check.err);
  CHECK(check.status == 0);
  CHECK(check.err.empty());
}

TEST_CASE("promtool takes the alert rules, and they say what they are to say") {
  auto const tests = (packaging / "prometheus" / "deployd.rules.test.yml").string();
  auto const promtool = find_program("promtool");
  for (auto const& arguments :
       {std::vector<std::string>{promtool, "check", "rules", rules.string()}, {promtool, "test", "rules", tests}}) {
    auto const outcome = run_program(arguments);
    CAPTURE(outcome.out, outcome.err);
    CHECK(outcome.status == 0);
  }
}
