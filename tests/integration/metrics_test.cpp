// --admin-listen: what it serves, and whether the numbers are right.
#include <openssl/ssl.h>
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/http_provider.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/listening_socket.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// A server of two workers with an admin listener, over a store of its own.
struct Watched {
  explicit Watched(StoreKind kind = StoreKind::sqlite, std::vector<std::string> options = {})
      : store(kind), line(bearer(store.create_token())), server(store.url(), with_admin(std::move(options))) {}

  static std::vector<std::string> with_admin(std::vector<std::string> options) {
    options.insert(options.end(), {"--admin-listen", "127.0.0.1:0", "--workers", "2"});
    return options;
  }

  Metrics metrics() { return Metrics::of(admin_port(server)); }
  /// What is counted after an answer was sent may be a moment later than the client that has read it.
  bool shows(std::string const& sample, double value) {
    return eventually(5s, [&] {
      auto const now = metrics();
      return now.has(sample) && now[sample] == value;
    });
  }

  HttpAnswer get(std::string_view target) const { return server.ask(request("GET", target, line)); }
  HttpAnswer ask_admin(std::string const& bytes) { return HttpConnection(admin_port(server)).ask(bytes); }

  FilledStore store;
  std::string line;
  RunningDeployd server;
};

std::string requests(std::string_view route, std::string_view method, int status) {
  return "deployd_http_requests_total{route=\"" + std::string(route) + "\",method=\"" + std::string(method) +
         "\",status=\"" + std::to_string(status) + "\"}";
}

std::string const list = "/api/v1/deployments";
std::string const record = "/api/v1/deployments/{id}";

}  // namespace

TEST_CASE("the admin listener serves metrics and health, and nothing of the API", "[metrics]") {
  Watched watched;
  CHECK(watched.ask_admin(request("GET", "/healthz")).status == 200);
  CHECK(watched.ask_admin(request("GET", "/readyz")).status == 200);
  auto const got = watched.ask_admin(request("GET", "/metrics"));
  CHECK(got.status == 200);
  CHECK(got["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(got["Cache-Control"] == "private, no-cache");
  CHECK_FALSE(got.has("Access-Control-Allow-Origin"));
  auto const head = watched.ask_admin(request("HEAD", "/metrics"));
  CHECK(head.status == 200);
  CHECK(std::stoul(head["Content-Length"]) > 1000);
  CHECK(head.body.empty());

  CHECK(watched.ask_admin(request("GET", "/api/v1/deployments", watched.line)).status == 404);
  CHECK(watched.ask_admin(request("GET", "/api/v1/deployments/1", watched.line)).status == 404);
  CHECK(watched.ask_admin(request("GET", "/")).status == 404);
  CHECK(watched.ask_admin(request("GET", "/metrics/")).status == 404);
  CHECK(watched.ask_admin(request("POST", "/metrics")).status == 501);
  CHECK(watched.ask_admin(request("OPTIONS", "/metrics")).status == 204);
  CHECK(watched.ask_admin("GET /metrics HTTP/1.1\r\n\r\n").status == 400);
  CHECK(watched.ask_admin("GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n").status == 505);
}

TEST_CASE("the public port has health and no metrics", "[metrics]") {
  Watched const watched;
  CHECK(watched.get("/healthz").status == 200);
  CHECK(watched.get("/readyz").status == 200);
  CHECK(watched.get("/metrics").status == 404);
}

TEST_CASE("OpenMetrics is served to who asks for it", "[metrics]") {
  Watched watched;
  auto const got = watched.ask_admin(
      request("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"));
  CHECK(got["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(got.body.ends_with("\n# EOF\n"));
  CHECK(got.body.find("# TYPE deployd_http_requests counter\n") != std::string::npos);
}

TEST_CASE("the admin listener can be a Unix domain socket", "[metrics]") {
  FilledStore const store(StoreKind::sqlite);
  auto const path = (store.directory() / "admin.sock").string();
  RunningDeployd const server(store.url(), {"--admin-listen", "unix:" + path});
  CHECK(HttpConnection(path).ask(request("GET", "/metrics")).status == 200);
}

TEST_CASE("an admin address that is taken exits 69 with a line that names the option and the address", "[metrics]") {
  Watched watched;
  for (auto const port : {admin_port(watched.server), watched.server.port()}) {
    auto const address = "127.0.0.1:" + std::to_string(port);
    auto const outcome =
        run_deployd({"serve", "--database", watched.store.url(), "--listen", "127.0.0.1:0", "--admin-listen", address});
    CHECK(outcome.status == 69);
    CHECK(outcome.err.find("deployd: --admin-listen: cannot listen on " + address) != std::string::npos);
  }
  auto const same = run_deployd({"serve", "--listen", "127.0.0.1:1", "--admin-listen", "127.0.0.1:1"});
  CHECK(same.status == 64);
  CHECK(same.err.find("--admin-listen") != std::string::npos);
}

TEST_CASE("with --take-over an admin address that a stranger has is waited for", "[metrics]") {
  FilledStore const store(StoreKind::sqlite);
  auto stranger = std::make_unique<ListeningSocket>();
  auto const address = "127.0.0.1:" + std::to_string(stranger->port());
  RunningDeployd server(store.url(), {"--admin-listen", address, "--take-over"});
  CHECK(server.process().err().find(address + ": another process listens there; trying again") != std::string::npos);
  stranger.reset();
  server.process().wait_for_line("/readyz on " + address);
  CHECK(HttpConnection(admin_port(server)).ask(request("GET", "/readyz")).status == 200);
}

TEST_CASE("requests are counted by route, method and status, warm and cold alike", "[metrics]") {
  Watched watched;
  auto connection = watched.server.connect();
  for (int i = 0; i < 5; ++i) connection.ask(request("GET", list + "/1", watched.line));
  for (int i = 0; i < 3; ++i) connection.ask(request("HEAD", list + "?pattern=CORE_DV_HLS", watched.line));
  connection.ask(request("GET", list + "/77", watched.line));
  connection.ask(request("GET", list + "?pattern=NO", watched.line));
  connection.ask(request("GET", list + "/1"));
  connection.ask(request("PUT", list + "/1", watched.line));
  connection.ask(request("OPTIONS", list));
  connection.ask(request("GET", "/some/where"));
  connection.ask("GET / HTTP/1.1\r\n\r\n");
  auto const etag = watched.get(list + "/1")["ETag"];
  CHECK(watched.server.ask(request("GET", list + "/1", watched.line + "If-None-Match: " + etag + "\r\n")).status ==
        304);

  CHECK(watched.shows(requests(record, "GET", 200), 6));
  CHECK(watched.shows(requests(record, "GET", 304), 1));
  CHECK(watched.shows(requests(record, "GET", 404), 1));
  CHECK(watched.shows(requests(record, "GET", 401), 1));
  CHECK(watched.shows(requests(record, "other", 501), 1));
  CHECK(watched.shows(requests(list, "HEAD", 200), 3));
  CHECK(watched.shows(requests(list, "GET", 404), 1));
  CHECK(watched.shows(requests(list, "OPTIONS", 204), 1));
  CHECK(watched.shows(requests("other", "GET", 404), 1));
  CHECK(watched.shows("deployd_http_framing_errors_total{status=\"400\"}", 1));
  CHECK(watched.shows("deployd_http_request_duration_seconds_count{route=\"" + record + "\"}", 10));
  CHECK(watched.shows("deployd_http_request_duration_seconds_count{route=\"" + list + "\"}", 5));
  CHECK(watched.metrics()["deployd_http_request_duration_seconds_sum{route=\"" + record + "\"}"] > 0);
  CHECK(watched.shows("deployd_token_checks_total{result=\"no_credentials\"}", 1));
}

TEST_CASE("pipelined requests are counted one by one, and so are their durations", "[metrics]") {
  Watched watched;
  auto connection = watched.server.connect();
  connection.ask(request("GET", list + "/1", watched.line));
  std::string batch;
  for (int i = 0; i < 20; ++i) batch += request("GET", list + (i % 2 == 0 ? "/1" : "/99"), watched.line);
  connection.send(batch);
  for (int i = 0; i < 20; ++i) connection.read_answer();
  connection.ask(request("GET", "/healthz"));
  CHECK(watched.shows(requests(record, "GET", 200), 11));
  CHECK(watched.shows(requests(record, "GET", 404), 10));
  CHECK(watched.shows("deployd_http_request_duration_seconds_count{route=\"" + record + "\"}", 21));
}

TEST_CASE("the cache, the tokens, the store and the bytes are counted", "[metrics]") {
  Watched watched;
  auto connection = watched.server.connect();
  std::size_t received = 0;
  std::size_t sent = 0;
  for (int i = 0; i < 4; ++i) {
    auto const bytes = request("GET", list + "/1", watched.line);
    auto const answer = connection.ask(bytes);
    received += bytes.size();
    sent += answer.head.size() + 4 + answer.body.size();  // two line ends are no part of the head
  }
  auto const metrics = watched.metrics();
  CHECK(metrics["deployd_cache_hits_total"] == 3);
  CHECK(metrics["deployd_cache_entries"] == 1);
  CHECK(metrics["deployd_cache_bytes"] > 300);
  CHECK(metrics["deployd_token_checks_total{result=\"accepted\"}"] == 1);
  CHECK(metrics["deployd_token_checks_total{result=\"recalled\"}"] == 3);
  CHECK(metrics["deployd_store_query_duration_seconds_count{kind=\"deployment\"}"] == 1);
  CHECK(metrics["deployd_store_query_duration_seconds_count{kind=\"api_token\"}"] == 1);
  CHECK(metrics["deployd_http_received_bytes_total"] == static_cast<double>(received));
  CHECK(watched.shows("deployd_http_sent_bytes_total", static_cast<double>(sent)));
  CHECK(metrics["deployd_connections_accepted_total"] == 1);
}

TEST_CASE("the check of a token is counted once, whether the answer was kept or not", "[metrics]") {
  Watched watched;
  auto connection = watched.server.connect();
  for (auto const* const id : {"/1", "/2", "/3", "/3", "/77"}) connection.ask(request("GET", list + id, watched.line));
  CHECK(watched.shows("deployd_token_checks_total{result=\"accepted\"}", 1));
  CHECK(watched.shows("deployd_token_checks_total{result=\"recalled\"}", 4));
}

TEST_CASE("connections are shown by what they are doing", "[metrics]") {
  Watched watched;
  auto idle = watched.server.connect();
  idle.ask(request("GET", "/healthz"));
  auto arriving = watched.server.connect();
  arriving.send("GET /healthz HT");
  CHECK(eventually(5s, [&] {
    auto const metrics = watched.metrics();
    return metrics["deployd_connections{state=\"idle\"}"] == 1 && metrics["deployd_connections{state=\"head\"}"] == 1;
  }));
}

TEST_CASE("connections that are closed since their address has too many are counted", "[metrics]") {
  Watched watched(StoreKind::sqlite, {"--max-connections-per-address", "1"});
  auto first = watched.server.connect();
  CHECK(first.ask(request("GET", "/healthz")).status == 200);
  CHECK(watched.server.connect().ends_within(5s));
  CHECK(watched.shows("deployd_connections_refused_total", 1));
  CHECK(watched.metrics()["deployd_connections_accepted_total"] == 2);
}

TEST_CASE("rate limits and reloads are counted", "[metrics]") {
  Watched watched(StoreKind::sqlite, {"--rate-limit", "1/s"});
  while (watched.get(list + "/1").status != 429) continue;
  CHECK(watched.metrics()["deployd_http_rate_limited_total"] >= 1);

  CHECK(watched.metrics()["deployd_reloads_total{result=\"success\"}"] == 0);
  watched.server.process().signal(SIGHUP);
  watched.server.process().wait_for_line("reloaded");
  auto const metrics = watched.metrics();
  CHECK(metrics["deployd_reloads_total{result=\"success\"}"] == 1);
  CHECK(metrics["deployd_last_reload_successful"] == 1);
}

TEST_CASE("a reload that fails shows", "[metrics]") {
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "");
  Watched watched(StoreKind::sqlite, {"--config", config});
  directory.write("deployd.toml", "log-level = \n");
  watched.server.process().signal(SIGHUP);
  watched.server.process().wait_for_line("not reloaded");
  auto const metrics = watched.metrics();
  CHECK(metrics["deployd_reloads_total{result=\"failure\"}"] == 1);
  CHECK(metrics["deployd_last_reload_successful"] == 0);
}

TEST_CASE("the store's state shows", "[metrics]") {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    CAPTURE(kind);
    Watched watched(kind);
    CHECK(eventually(10s, [&] {
      auto const metrics = watched.metrics();
      return metrics["deployd_store_up"] == 1 && metrics["deployd_store_change_feed_up"] == 1;
    }));
    auto const lag = watched.metrics()["deployd_store_change_feed_lag_seconds"];
    CHECK(lag >= 0);
    CHECK(lag < 1);
  }
}

TEST_CASE("PostgreSQL's pool and its changes show", "[metrics]") {
  Watched watched(StoreKind::postgresql, {"--store-sessions", "3"});
  watched.get(list + "/1");
  auto const before = watched.metrics();
  CHECK(before["deployd_store_info{backend=\"postgresql\",change_feed=\"listen\"}"] == 1);
  CHECK(before["deployd_store_pool_max_sessions"] == 3);
  CHECK(before["deployd_store_pool_sessions"] >= 1);
  CHECK(before["deployd_store_pool_wait_seconds_count"] >= 2);
  CHECK(before["deployd_store_pool_queue_length"] == 0);
  watched.store.import(R"({"patterns":[],"deployments":[{"id":50,"pattern_id":1,"name":"new"}]})");
  CHECK(eventually(
      5s, [&] { return watched.metrics()["deployd_store_changes_total"] > before["deployd_store_changes_total"]; }));
}

TEST_CASE("while draining, the admin listener goes on and says so", "[metrics]") {
  Watched watched;
  auto arriving = watched.server.connect();
  arriving.send("GET /healthz HTTP/1.1\r\n");
  CHECK(eventually(5s, [&] { return watched.metrics()["deployd_connections{state=\"head\"}"] == 1; }));
  watched.server.process().signal(SIGTERM);
  watched.server.process().wait_for_line("signal 15");
  CHECK(eventually(5s, [&] { return watched.ask_admin(request("GET", "/readyz")).status == 503; }));
  CHECK(watched.ask_admin(request("GET", "/healthz")).status == 200);
  CHECK(watched.metrics()["deployd_draining"] == 1);
  arriving.send("Host: x\r\n\r\n");
  CHECK(arriving.read_answer().status == 200);
  CHECK(watched.server.process().wait(10s).status == 0);
}

TEST_CASE("TLS handshakes are counted by how they ended", "[metrics]") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), Watched::with_admin({}));
  server.client.only(TLS1_3_VERSION).resume();
  for (int time = 0; time < 3; ++time) CHECK(server.ask(request("GET", "/healthz")).status == 200);
  CHECK(server.running.ask(request("GET", "/healthz")).status == 400);
  TlsClient distrustful(CertificateAuthority().certificate());
  CHECK_THROWS(HttpConnection(server.running.port(), distrustful));
  { HttpConnection const silent(server.running.port()); }

  auto const port = admin_port(server.running);
  for (auto const& [result, count] :
       std::map<std::string, double>{{"full", 1}, {"resumed", 2}, {"plain_text", 1}, {"failed", 1}, {"abandoned", 1}}) {
    CAPTURE(result);
    auto const sample = "deployd_tls_handshakes_total{result=\"" + result + "\"}";
    CHECK(eventually(5s, [&] { return Metrics::of(port)[sample] == count; }));
  }
}

TEST_CASE("the end of each certificate is told, also of one that has taken its place", "[metrics]") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), Watched::with_admin({}));
  auto const port = admin_port(server.running);
  auto const sample =
      "deployd_tls_certificate_expiry_timestamp_seconds{certificate=\"" + server.files.certificate + "\"}";
  auto const days_left = [&] {
    std::chrono::duration<double> const now = std::chrono::system_clock::now().time_since_epoch();
    return (Metrics::of(port)[sample] - now.count()) / (24 * 3600);
  };
  CHECK(std::round(days_left()) == 90);
  server.files.issue({.until = 20 * 24h});
  server.running.process().signal(SIGHUP);
  server.running.process().wait_for_line("reloaded");
  CHECK(std::round(days_left()) == 20);
}

TEST_CASE("without TLS there are no metrics of it", "[metrics]") {
  Watched watched;
  auto const metrics = watched.metrics();
  for (auto const& [name, family] : metrics.families()) CHECK_FALSE(name.starts_with("deployd_tls_"));
}

TEST_CASE("docs/metrics.md has every metric with its type and its meaning, and no other", "[metrics]") {
  std::map<std::string, Metrics::Family> served;
  TlsFilesOnDisk const tls;
  TemporaryDirectory const state;
  state.write("mirror", "0\nhttps://deployd.example.com\n");
  HttpProvider const provider([](auto const&, auto const&) { return Provided{jwks_of({p256_key().jwk()})}; });
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    auto options = tls.options();
    options.insert(options.end(), {"--jwks", provider.url("/jwks"), "--state-directory", state.path().string()});
    Watched watched(kind, std::move(options));
    auto const metrics = watched.metrics();
    for (auto const& [name, family] : metrics.families()) served[name] = family;
  }
  std::map<std::string, Metrics::Family> documented;
  std::ifstream page(DEPLOYD_SOURCE_DIR "/docs/metrics.md");
  std::regex const row(R"(\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \| ([^|]*) \|)");
  std::smatch parts;
  for (std::string line; std::getline(page, line);)
    if (std::regex_match(line, parts, row)) documented[parts[1]] = {parts[2], parts[4]};
  for (auto const& [name, family] : served) {
    CAPTURE(name);
    CHECK(documented[name].type == family.type);
    CHECK(documented[name].help == family.help);
  }
  for (auto const& [name, family] : documented) {
    CAPTURE(name);
    CHECK(served.contains(name));
  }
}
