// Keys that are fetched from identity providers.
#include <signal.h>
#include <sys/stat.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/http_provider.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// A key of the provider, and tokens that it signs.
struct ProviderKey {
  explicit ProviderKey(std::string kid_of_it) : kid(std::move(kid_of_it)) {}

  boost::json::object jwk() const { return with(pair.jwk(), {{"kid", kid}}); }

  std::string token(std::string const& issuer = "https://id.example.com") const {
    boost::json::object const header{{"alg", "ES256"}, {"kid", kid}};
    boost::json::object const claims{{"iss", issuer}, {"sub", "jane"}, {"exp", 4000000000}};
    return jwt_with_header(pair, deployd::auth::Algorithm::es256, boost::json::serialize(header),
                           boost::json::serialize(claims));
  }

  std::string kid;
  SigningKey pair = SigningKey::of("P-256");
};

/// An identity provider that a test rotates the keys of.
class IdentityProvider {
 public:
  explicit IdentityProvider(ProviderKey const& key) { publish({key}); }

  void publish(std::vector<ProviderKey> const& keys, std::string const& lines = {}) {
    boost::json::array entries;
    for (auto const& key : keys) entries.push_back(key.jwk());
    answer({boost::json::serialize(boost::json::object{{"keys", entries}}), 200, lines});
  }
  void answer(Provided const& provided) {
    http.respond([this, provided](std::string const& target, auto const&) {
      if (target != "/.well-known/openid-configuration") return provided;
      std::scoped_lock const lock(mutex_);
      return Provided{boost::json::serialize(boost::json::object{{"issuer", issuer_}, {"jwks_uri", jwks_uri_}})};
    });
  }
  void claim(std::string issuer, std::string jwks_uri) {
    std::scoped_lock const lock(mutex_);
    issuer_ = std::move(issuer);
    jwks_uri_ = std::move(jwks_uri);
  }

  std::string url() const { return http.url("/jwks"); }
  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--jwks", url(), "--jwks-ca", ca_file});
    return more;
  }

  CertificateAuthority authority;
  TemporaryDirectory directory;
  std::string ca_file = directory.write("ca.pem", authority.certificate());
  HttpProvider http{[](auto const&, auto const&) { return Provided{"{}"}; }, authority.issue()};

 private:
  std::mutex mutex_;
  std::string issuer_ = http.url("");
  std::string jwks_uri_ = http.url("/jwks");
};

unsigned status_of(RunningDeployd const& server, std::string const& token) {
  return server.ask(request("GET", "/api/v1/deployments/1", bearer(token))).status;
}

/// True if the server logs a line with `text`, or has logged one.
bool logs(RunningDeployd& server, std::string const& text) {
  if (server.process().err().find(text) != std::string::npos) return true;
  return !server.process().wait_for_line(text).empty();
}

bool becomes(unsigned status, RunningDeployd const& server, std::string const& token) {
  return eventually(20s, [&] { return status_of(server, token) == status; });
}

}  // namespace

TEST_CASE("tokens signed with the keys of a URL are accepted, and those of withdrawn keys refused", "[key_source]") {
  ProviderKey const a("a");
  ProviderKey const b("b");
  IdentityProvider provider(a);
  RunningDeployd const server(store().url(), provider.options({"--jwks-refresh", "1s"}));
  CHECK(status_of(server, a.token()) == 200);
  CHECK(status_of(server, b.token()) == 401);
  provider.publish({a, b});
  CHECK(becomes(200, server, b.token()));
  CHECK(status_of(server, a.token()) == 200);
  provider.publish({b});
  CHECK(becomes(401, server, a.token()));
  CHECK(status_of(server, b.token()) == 200);
}

TEST_CASE("a token with an unknown kid waits for the keys to be fetched, at most once in ten seconds", "[key_source]") {
  ProviderKey const a("a");
  ProviderKey const b("b");
  ProviderKey const c("c");
  IdentityProvider provider(a);
  RunningDeployd server(store().url(), provider.options({"--jwks-refresh", "1h"}));
  auto const fetches = [&] { return provider.http.count("/jwks"); };
  CHECK(status_of(server, a.token()) == 200);
  CHECK(fetches() == 1);
  auto const first = std::chrono::steady_clock::now();
  CHECK(status_of(server, b.token()) == 401);
  CHECK(fetches() == 2);
  provider.publish({a, b});
  for (int i = 0; i < 50; ++i) CHECK(status_of(server, ProviderKey("x" + std::to_string(i)).token()) == 401);
  CHECK(fetches() == 2);
  CHECK(becomes(200, server, b.token()));
  CHECK(std::chrono::steady_clock::now() - first >= 10s);
  CHECK(fetches() == 3);

  // After a rotation, a new kid waits for the next fetch.
  provider.publish({a, b, c});
  CHECK(status_of(server, c.token()) == 200);
  CHECK(std::chrono::steady_clock::now() - first >= 20s);
  CHECK(fetches() == 4);
}

TEST_CASE("tokens that would be refused with any key have nothing fetched", "[key_source]") {
  ProviderKey const a("a");
  ProviderKey const b("b");
  IdentityProvider provider(a);
  RunningDeployd const server(store().url(), provider.options({"--jwt-issuer", "https://id.example.com"}));
  provider.publish({a, b});
  CHECK(status_of(server, b.token("https://other.example.com")) == 401);
  CHECK(status_of(server, jwt_with_header(b.pair, deployd::auth::Algorithm::es256, R"({"alg":"ES256","kid":"b"})",
                                          R"({"iss":"https://id.example.com","exp":1})")) == 401);
  CHECK(status_of(server, jwt_with_header(SigningKey::hmac(jwt_secret), deployd::auth::Algorithm::hs256,
                                          R"({"alg":"HS256","kid":"b"})",
                                          R"({"iss":"https://id.example.com","exp":4000000000})")) == 401);
  CHECK(provider.http.count("/jwks") == 1);
  CHECK(status_of(server, b.token()) == 200);
}

TEST_CASE("a provider that is away does not keep the server from starting", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  provider.http.die();
  RunningDeployd server(store().url(), provider.options());
  CHECK(status_of(server, a.token()) == 401);
  CHECK_THAT(server.process().err(), ContainsSubstring("keys not fetched: " + provider.url() + ": cannot connect: ") &&
                                         ContainsSubstring("tokens signed with its keys are refused"));
  provider.http.revive();
  CHECK(becomes(200, server, a.token()));
}

TEST_CASE("a provider that answers nonsense is named in one line, and the old keys stay", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  RunningDeployd server(store().url(), provider.options({"--jwks-refresh", "1s"}));
  CHECK(status_of(server, a.token()) == 200);
  auto const refuses = [&](Provided const& answer, std::string const& why) {
    CAPTURE(why);
    provider.answer(answer);
    auto const line = server.process().wait_for_line(why);
    CHECK_THAT(line, ContainsSubstring("keys not fetched: https://localhost:") &&
                         ContainsSubstring("the keys fetched ") && ContainsSubstring(" ago stay in use"));
    CHECK(status_of(server, a.token()) == 200);
  };
  refuses({std::string(10 << 20, ' ')}, "the response is larger than 1048576 bytes");
  refuses({"<html></html>", 200, "Content-Type: text/html\r\n"}, "answered with an HTML page");
  refuses({"<html></html>"}, "not a JSON Web Key Set");
  refuses({"{\"keys\":[]}"}, "contains no key that can be used");
  refuses({"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}"}, "key 0: 'y' is missing");
  std::string many = "{\"keys\":[{}";
  for (int i = 0; i < 100; ++i) many += ",{}";
  refuses({many + "]}"}, "has 101 keys, and may have at most 100");
  refuses({"", 302, "Location: /jwks\r\n"}, "redirects more than 5 times");
  refuses({"", 302, "Location: http://localhost/jwks\r\n"}, "redirects to http, which is not followed");
  refuses({"", 500}, "answered with status 500");
  refuses({.body = "{\"keys\":[]}", .cut = true}, "the response is cut short");

  provider.http.present(provider.authority.issue({.from = -48h, .until = -1h}));
  refuses({"{}"}, "the certificate is refused: certificate has expired");
  provider.http.present(provider.authority.issue({.names = {"id.example.com"}}));
  refuses({"{}"}, "the certificate is refused: hostname mismatch");
  provider.http.present(CertificateAuthority("strangers").issue());
  refuses({"{}"}, "the certificate is refused: ");
}

TEST_CASE("symmetric keys from a URL are not used", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  auto const secret = SigningKey::hmac(jwt_secret);
  provider.answer({jwks_of({a.jwk(), with(secret.jwk(), {{"kid", "s"}})})});
  RunningDeployd server(store().url(), provider.options());
  CHECK(becomes(200, server, a.token()));
  CHECK(status_of(server, jwt_with_header(secret, deployd::auth::Algorithm::hs256, R"({"alg":"HS256","kid":"s"})",
                                          R"({"exp":4000000000})")) == 401);
  CHECK(logs(server, "1 of its keys are symmetric and not used"));
}

TEST_CASE("a restart without network goes on with the keys that are kept on disk", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  TemporaryDirectory const state;
  auto const options = provider.options({"--state-directory", state.path().string()});
  std::filesystem::path file;
  {
    RunningDeployd const server(store().url(), options);
    CHECK(status_of(server, a.token()) == 200);
    REQUIRE(eventually(20s, [&] {
      for (auto const& entry : std::filesystem::directory_iterator(state.path()))
        if (entry.path().extension() == ".json") file = entry.path();
      return !file.empty();
    }));
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);

  provider.http.die();
  CHECK(status_of(RunningDeployd(store().url(), options), a.token()) == 200);
  std::map<std::string, std::string> const by_systemd{{"STATE_DIRECTORY", state.path().string() + ":/other"}};
  CHECK(status_of(RunningDeployd(store().url(), provider.options(), by_systemd), a.token()) == 200);
  CHECK(status_of(RunningDeployd(store().url(), provider.options()), a.token()) == 401);

  std::filesystem::permissions(file, std::filesystem::perms(0666));
  RunningDeployd careful(store().url(), options);
  CHECK(status_of(careful, a.token()) == 401);
  CHECK_THAT(careful.process().err(), ContainsSubstring("other users could have changed it"));
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  state.write(file.filename().string(), "{\"keys\":");
  RunningDeployd damaged(store().url(), options);
  CHECK(status_of(damaged, a.token()) == 401);
  CHECK_THAT(damaged.process().err(), ContainsSubstring("kept keys are not used: " + file.string() + ": "));
  std::filesystem::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  RunningDeployd unblocked(store().url(), options);
  CHECK(status_of(unblocked, a.token()) == 401);
  CHECK_THAT(unblocked.process().err(), ContainsSubstring(file.string() + ": is no regular file"));
}

TEST_CASE("a state directory that SIGHUP adds is created and gets the keys that are in use", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  TemporaryDirectory const directory;
  auto const text = "database = \"" + store().url() + "\"\njwks = [\"" + provider.url() + "\"]\njwks-ca = \"" +
                    provider.ca_file + "\"\n";
  auto const file = directory.write("deployd.toml", text);
  RunningDeployd server(store().url(), {"--config", file});
  CHECK(status_of(server, a.token()) == 200);
  directory.write("deployd.toml", text + "state-directory = \"state\"\n");
  server.process().signal(SIGHUP);
  auto const state = directory.path() / "state";
  CHECK(eventually(20s, [&] { return std::filesystem::exists(state) && !std::filesystem::is_empty(state); }));
}

TEST_CASE("an issuer's keys are found by discovery, and its tokens must name it", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  auto const issuer = provider.http.url("");
  std::vector<std::string> const options{"--oidc-issuer",  issuer,           "--jwks-ca",
                                         provider.ca_file, "--jwks-refresh", "1s"};
  RunningDeployd server(store().url(), options);
  CHECK(status_of(server, a.token(issuer)) == 200);
  CHECK(status_of(server, a.token("https://id.example.com")) == 401);

  provider.claim("https://other.example.com", provider.url());
  CHECK_THAT(server.process().wait_for_line("its 'issuer' is"),
             ContainsSubstring("its 'issuer' is 'https://other.example.com', and not '" + issuer + "'"));
  provider.claim(issuer, "http://localhost/jwks");
  CHECK_NOTHROW(server.process().wait_for_line("its 'jwks_uri' is not https"));
  CHECK(status_of(server, a.token(issuer)) == 200);
}

TEST_CASE("key files and URLs each replace only their own keys", "[key_source]") {
  ProviderKey const remote("r");
  ProviderKey const local("l");
  ProviderKey const next("n");
  IdentityProvider provider(remote);
  TemporaryDirectory const directory;
  auto const file = directory.write("jwks.json", jwks_of({local.jwk()}));
  RunningDeployd server(store().url(), provider.options({"--jwks", file, "--jwks-refresh", "1h"}));
  CHECK(status_of(server, remote.token()) == 200);
  CHECK(status_of(server, local.token()) == 200);
  provider.answer({"", 500});
  directory.write("jwks.json", jwks_of({next.jwk()}));
  server.process().signal(SIGHUP);
  server.process().wait_for_line("answered with status 500");
  CHECK(becomes(200, server, next.token()));
  CHECK(status_of(server, local.token()) == 401);
  CHECK(status_of(server, remote.token()) == 200);
  provider.publish({local});
  server.process().signal(SIGHUP);
  CHECK(becomes(200, server, local.token()));
  CHECK(status_of(server, next.token()) == 200);
  CHECK(status_of(server, remote.token()) == 401);
}

TEST_CASE("max-age shortens the time to the next fetch, and an ETag is sent", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  provider.publish({a}, "ETag: \"one\"\r\nCache-Control: max-age=1\r\n");
  RunningDeployd const server(store().url(), provider.options({"--jwks-refresh", "1h"}));
  CHECK(eventually(20s, [&] { return provider.http.count("/jwks") == 2; }));
  CHECK_THAT(provider.http.last_head(), ContainsSubstring("If-None-Match: \"one\""));
}

namespace {

/// Connections that send good tokens without a pause: two of the key that the provider signs with, two of the oldest
/// key that it publishes. One more connection sends tokens of keys that were withdrawn.
class Load {
 public:
  Load(RunningDeployd const& server, std::vector<ProviderKey> const& keys) {
    for (auto const& key : keys) tokens_.push_back(key.token());
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this, &server] { send_good(server.connect(), newest_, with_newest_); });
      threads_.emplace_back([this, &server] { send_good(server.connect(), oldest_, with_oldest_); });
    }
    threads_.emplace_back([this, &server] { send_withdrawn(server.connect()); });
  }
  ~Load() { stop(); }
  Load(Load const&) = delete;
  Load& operator=(Load const&) = delete;

  void sign_with(std::size_t key) { newest_ = key; }
  void withdraw_before(std::size_t key) { oldest_ = key; }

  /// Waits until more tokens of all good keys were accepted.
  bool goes_on() const {
    auto const newest = with_newest_ + 100;
    auto const oldest = with_oldest_ + 100;
    return eventually(20s, [&] { return with_newest_ > newest && with_oldest_ > oldest; });
  }

  void stop() {
    done_ = true;
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  std::size_t accepted() const { return with_newest_ + with_oldest_; }
  std::size_t refused() const { return refused_; }

 private:
  unsigned ask(HttpConnection& connection, std::size_t key) const {
    return connection.ask(request("GET", "/api/v1/deployments/1", bearer(tokens_[key]))).status;
  }

  void send_good(HttpConnection connection, std::atomic<std::size_t> const& which, std::atomic<std::size_t>& accepted) {
    while (!done_) {
      auto const key = which.load();
      if (ask(connection, key) == 200)
        ++accepted;
      else if (key >= oldest_)
        ++refused_;
    }
  }

  void send_withdrawn(HttpConnection connection) {
    while (!done_)
      for (std::size_t key = 0; key < oldest_ && !done_; ++key) ask(connection, key);
  }

  std::vector<std::string> tokens_;
  std::atomic<std::size_t> oldest_{0};
  std::atomic<std::size_t> newest_{0};
  std::atomic<std::size_t> with_newest_{0};
  std::atomic<std::size_t> with_oldest_{0};
  std::atomic<std::size_t> refused_{0};
  std::atomic<bool> done_{false};
  std::vector<std::thread> threads_;
};

std::vector<ProviderKey> several_keys(std::size_t count) {
  std::vector<ProviderKey> keys;
  for (std::size_t i = 0; i < count; ++i) keys.emplace_back("k" + std::to_string(i));
  return keys;
}

void check(Load& load, std::size_t rotations) {
  load.stop();
  CHECK(load.refused() == 0);
  CHECK(load.accepted() > 1000);
  WARN(load.accepted() << " good tokens accepted over " << rotations << " rotations, wrongly refused "
                       << load.refused());
}

}  // namespace

TEST_CASE("a rotation refuses no good token, even if the provider signs with a key when it publishes it",
          "[key_source]") {
  auto const keys = several_keys(4);
  IdentityProvider provider(keys[0]);
  RunningDeployd const server(store().url(), provider.options({"--jwks-refresh", "1h"}));
  Load load(server, keys);
  CHECK(load.goes_on());
  for (std::size_t next = 1; next < keys.size(); ++next) {
    provider.publish({keys[next - 1], keys[next]});
    load.sign_with(next);
    CHECK(becomes(200, server, keys[next].token()));
    CHECK(load.goes_on());
    load.withdraw_before(next);
  }
  check(load, keys.size() - 1);
}

TEST_CASE("rotations refuse no good token while the provider lies, stalls and dies", "[key_source]") {
  auto const keys = several_keys(6);
  IdentityProvider provider(keys[0]);
  RunningDeployd server(store().url(), provider.options({"--jwks-refresh", "1s"}));
  Load load(server, keys);
  CHECK(load.goes_on());
  std::vector<std::pair<Provided, std::string>> const failures{
      {{"<html></html>", 200, "Content-Type: text/html\r\n"}, "answered with an HTML page"},
      {{"", 503}, "answered with status 503"},
      {{"{\"keys\":[]}"}, "contains no key that can be used"},
      {{.stalls = true}, "no byte received"},
      {{}, "cannot connect"}};
  REQUIRE(failures.size() == keys.size() - 1);
  for (std::size_t next = 1; next < keys.size(); ++next) {
    auto const& [answer, why] = failures[next - 1];
    if (why == "cannot connect")
      provider.http.die();
    else
      provider.answer(answer);
    CHECK_NOTHROW(server.process().wait_for_line(why));
    CHECK(load.goes_on());
    if (why == "cannot connect") provider.http.revive();
    provider.publish({keys[next - 1], keys[next]});
    load.sign_with(next);
    CHECK(load.goes_on());
    load.withdraw_before(next);
    CHECK(load.goes_on());
    provider.publish({keys[next]});
    CHECK(becomes(401, server, keys[next - 1].token()));
  }
  check(load, keys.size() - 1);
}

TEST_CASE("the metrics show the age, the keys and the failures of each source", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  RunningDeployd server(store().url(), provider.options({"--jwks-refresh", "1s", "--admin-listen", "127.0.0.1:0"}));
  auto const port = admin_port(server);
  auto const label = "{source=\"" + provider.url() + "\"";
  auto const page = [&] { return HttpConnection(port).ask(request("GET", "/metrics")).body; };
  CHECK_THAT(page(), ContainsSubstring("deployd_key_source_keys" + label + "} 1\n") &&
                         ContainsSubstring("deployd_key_source_age_seconds" + label + "} ") &&
                         ContainsSubstring("deployd_key_source_refreshes_total" + label + ",result=\"failure\"} 0\n"));
  provider.http.die();
  CHECK(eventually(20s, [&] {
    return page().find("deployd_key_source_refreshes_total" + label + ",result=\"failure\"} 0\n") == std::string::npos;
  }));
  CHECK_THAT(page(), ContainsSubstring("deployd_key_source_keys" + label + "} 1\n"));
}

TEST_CASE("check says for each URL what keys it gave, or why none", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  auto arguments = provider.options({"check", "--database", store().url(), "--listen", "127.0.0.1:0"});
  auto const good = run_deployd(arguments);
  CHECK(good.status == 0);
  CHECK_THAT(good.out, ContainsSubstring("keys          ok    --jwks: " + provider.url() + ": 1 key (kid 'a')\n"));
  provider.http.die();
  auto const away = run_deployd(arguments);
  CHECK(away.status == 0);
  CHECK_THAT(away.out, ContainsSubstring("keys          look  --jwks: " + provider.url() + ": cannot connect: ") &&
                           ContainsSubstring("remedy: correct the URL, the provider or --jwks-ca"));
}

TEST_CASE("token check fetches the keys", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  auto const options = provider.options({"token", "check", "--database", store().url()});
  auto const good = run_deployd(options, {}, a.token());
  CHECK(good.status == 0);
  CHECK_THAT(good.out, StartsWith("accepted: the token of 'jane'"));
  CHECK(run_deployd(options, {}, ProviderKey("b").token()).status == 65);
}

TEST_CASE("URLs that keys may not come from are bad usage and named", "[key_source]") {
  auto const refuses = [](std::vector<std::string> const& options, int status, std::string const& why) {
    std::vector<std::string> arguments{"check", "--database", store().url()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    auto const outcome = run_deployd(arguments);
    CAPTURE(why, outcome.err);
    CHECK(outcome.status == status);
    CHECK_THAT(outcome.err, ContainsSubstring(why));
  };
  refuses({"--jwks", "http://id.example.com/jwks"}, 64, "--jwks: 'http://id.example.com/jwks' is not https");
  refuses({"--jwks", "ftp://id.example.com/jwks"}, 64, "--jwks: the URL cannot be used: its scheme is not https");
  refuses({"--jwks", "https://me:secret@id.example.com/"}, 64, "--jwks: the URL cannot be used: it holds a user");
  refuses({"--jwks", "https://localhost:1/", "--jwks", "https://localhost:1"}, 64, "is given twice");
  refuses({"--oidc-issuer", "id.example.com"}, 64, "--oidc-issuer: the URL cannot be used: it has no scheme");
  refuses({"--oidc-issuer", "https://localhost:1", "--jwt-issuer", "https://localhost:1/"}, 64,
          "--jwt-issuer: 'https://localhost:1/' is not the issuer 'https://localhost:1' of --oidc-issuer");
  refuses({"--jwks", "https://localhost:1/", "--state-directory", "/no/such"}, 64,
          "--state-directory: /no/such: there is no such directory");
  refuses({"--jwks", "https://localhost:1/", "--state-directory", "/dev/null"}, 64,
          "--state-directory: /dev/null: is not a directory");
  refuses({"--jwks", "https://localhost:1/", "--jwks-ca", "/no/such"}, 78, "--jwks-ca: /no/such: ");
  refuses({"--jwks-refresh", "10ms"}, 64, "--jwks-refresh");
}

TEST_CASE("keys may come by http from this machine itself", "[key_source]") {
  ProviderKey const a("a");
  HttpProvider const provider([&](auto const&, auto const&) { return Provided{jwks_of({a.jwk()})}; });
  RunningDeployd const server(store().url(), {"--jwks", provider.url("/jwks")});
  CHECK(status_of(server, a.token()) == 200);
}

TEST_CASE("a provider that stalls holds up neither the start nor the end", "[key_source]") {
  ProviderKey const a("a");
  IdentityProvider provider(a);
  provider.answer({.stalls = true});
  RunningDeployd server(store().url(), provider.options());
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  auto const start = std::chrono::steady_clock::now();
  server.process().signal(SIGTERM);
  CHECK(server.process().wait().status == 0);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}
