// What operators find in the log about a request.
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using boost::json::value;

namespace {

constexpr auto traceparent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";

/// A server whose store can be taken away, and a JWT, which needs no store.
struct Fixture {
  explicit Fixture(std::vector<std::string> const& options)
      : store(StoreKind::sqlite), server(store.url(), options, {{"DEPLOYD_JWT_SECRET", jwt_secret}}) {
    auto const signing = run_deployd({"token", "sign", "--subject", "jane"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
    jwt = signing.out.substr(0, signing.out.find('\n'));
  }

  void take_store_away() const {
    auto const file = store.url().substr(std::string_view("sqlite:").size());
    std::filesystem::rename(file, file + ".away");
  }

  void bring_store_back() const {
    auto const file = store.url().substr(std::string_view("sqlite:").size());
    std::filesystem::rename(file + ".away", file);
  }

  HttpAnswer get(std::string const& target, std::string const& lines = {}) const {
    return server.ask(request("GET", target, bearer(jwt) + lines));
  }

  /// Ends the server; the lines that it has written, those of `with` only.
  std::vector<std::string> lines(std::string_view with) {
    server.process().signal(SIGTERM);
    auto const all = server.process().wait().err;
    std::vector<std::string> found;
    for (std::size_t at = 0; at < all.size();) {
      auto const end = all.find('\n', at);
      auto line = all.substr(at, end - at);
      if (line.find(with) != std::string::npos) found.push_back(std::move(line));
      at = end == std::string::npos ? all.size() : end + 1;
    }
    return found;
  }

  FilledStore store;
  RunningDeployd server;
  std::string jwt;
};

std::string text(value const& json, char const* name) {
  auto const* const member = json.as_object().if_contains(name);
  return member == nullptr ? "" : std::string(member->as_string());
}

/// The first answer that says that the store is away: deployd looks for the file now and then only.
HttpAnswer first_failure(Fixture const& fixture, std::string const& lines) {
  HttpAnswer got;
  int number = 0;
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    got = fixture.get("/api/v1/deployments?name=" + std::to_string(++number), lines);
    if (got.status == 503) return true;
    // The log is not read before the server has ended: it must not fill its pipe.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return false;
  }));
  return got;
}

}  // namespace

TEST_CASE("each line of the access log has the id and the trace of its request, which may be the client's", "[logs]") {
  Fixture fixture({"--access-log", "json", "--log-format", "json", "--workers", "1"});
  // The second is answered from the cache, the third not at all.
  auto const target = "/api/v1/deployments/1";
  for (int time = 0; time < 2; ++time)
    CHECK(fixture.get(target, std::string("X-Request-Id: c-1\r\n") + traceparent).status == 200);
  CHECK(fixture.get(target, "X-Request-Id: not sane\r\ntraceparent: 00-0-0-0\r\n").status == 200);
  CHECK(fixture.server.ask(request("GET", target, "X-Request-Id: c-2\r\n")).status == 401);
  CHECK(fixture.server.ask("GET / HTTP/1.1\r\n bad\r\n\r\n").status == 400);

  auto const lines = fixture.lines(R"("remote")");
  REQUIRE(lines.size() == 5);
  std::set<std::string> made;
  for (std::size_t number = 0; number < lines.size(); ++number) {
    CAPTURE(lines[number]);
    auto const line = boost::json::parse(lines[number]);
    auto const id = text(line, "request_id");
    CHECK(text(line, "trace_id") == (number < 2 ? "0af7651916cd43dd8448eb211c80319c" : ""));
    CHECK(text(line, "parent_id") == (number < 2 ? "b7ad6b7169203331" : ""));
    CHECK(text(line, "subject") == (number < 3 ? "jane" : ""));
    if (number < 2) CHECK(id == "c-1");
    if (number == 3) CHECK(id == "c-2");
    if (number == 2 || number == 4) made.insert(id);
  }
  CHECK(made.size() == 2);
  CHECK_FALSE(made.contains(""));
}

TEST_CASE("a line of the access log has the duration, the bytes sent, the user agent and why a token was refused",
          "[logs]") {
  Fixture fixture({"--access-log", "json", "--workers", "1"});
  auto const target = "/api/v1/deployments/1";
  std::string const agent = "User-Agent: build-tool/1.0\r\n";
  std::vector<std::size_t> sizes;
  // From the store, from the cache, without a body, refused.
  auto const size_of = [](HttpAnswer const& answer) {
    return answer.head.size() + std::string_view("\r\n\r\n").size() + answer.body.size();
  };
  for (int time = 0; time < 2; ++time) sizes.push_back(size_of(fixture.get(target, agent)));
  sizes.push_back(size_of(fixture.server.ask(request("HEAD", target, bearer(fixture.jwt)))));
  sizes.push_back(size_of(fixture.server.ask(request("GET", target))));
  sizes.push_back(size_of(fixture.server.ask(request("GET", target, bearer("dpd_" + std::string(43, 'A'))))));
  sizes.push_back(size_of(fixture.server.ask(request("GET", target, bearer("x") + bearer("x")))));
  sizes.push_back(size_of(fixture.server.ask("GET / HTTP/1.1\r\n bad\r\n\r\n")));
  std::vector<std::string> const reasons{"", "", "", "no credentials", "unknown token", "malformed", ""};

  auto const lines = fixture.lines(R"("remote")");
  REQUIRE(lines.size() == sizes.size());
  for (std::size_t number = 0; number < lines.size(); ++number) {
    CAPTURE(lines[number]);
    auto const line = boost::json::parse(lines[number]);
    CHECK(line.at("bytes_sent").to_number<std::size_t>() == sizes[number]);
    CHECK(line.at("duration_ms").to_number<double>() >= 0);
    CHECK(line.at("duration_ms").to_number<double>() < 10'000);
    CHECK(text(line, "user_agent") == (number < 2 ? "build-tool/1.0" : ""));
    CHECK(text(line, "reason") == reasons[number]);
  }
}

TEST_CASE("answers to pipelined requests have their own sizes in the access log, and a streamed list what was sent",
          "[logs]") {
  std::string data = R"({"patterns":[{"id":1,"name":"P"}],"deployments":[)";
  for (int id = 1; id <= 40'000; ++id)
    data += (id == 1 ? "" : ",") + fmt::format(R"({{"id":{},"pattern_id":1,"name":"deployment number {}"}})", id, id);
  FilledStore const store(StoreKind::sqlite, data + "]}");
  RunningDeployd server(store.url(), {"--access-log", "json", "--workers", "1"});
  auto const token = bearer(store.create_token());
  auto connection = server.connect();
  connection.send(request("GET", "/api/v1/deployments/1", token) + request("GET", "/healthz") +
                  request("GET", "/api/v1/deployments", token + "Connection: close\r\n"));
  auto const received = connection.read_to_end();
  std::size_t logged = 0;
  std::vector<std::size_t> sizes;
  for (auto const* const target : {"/deployments/1", "/healthz", "\"/api/v1/deployments\""}) {
    auto const line = boost::json::parse(server.process().wait_for_line(target));
    sizes.push_back(line.at("bytes_sent").to_number<std::size_t>());
    logged += sizes.back();
  }
  CHECK(logged == received.size());
  CHECK(sizes[0] == received.find("HTTP/1.1", 1));
  CHECK(sizes[2] > (std::size_t{1} << 20));
}

TEST_CASE("the access log goes to a file of its own, which is opened again on SIGHUP", "[logs]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "access.log").string();
  auto const contains = [](std::string const& file, std::string_view target) {
    return eventually(std::chrono::seconds(10), [&] { return read_file(file).find(target) != std::string::npos; });
  };
  RunningDeployd server(store().url(), {"--access-log", "json", "--access-log-file", path});
  CHECK(server.ask(request("GET", "/first")).status == 404);
  CHECK(contains(path, "/first"));
  auto const mode = std::filesystem::status(path).permissions();
  CHECK((mode & ~std::filesystem::perms(0640)) == std::filesystem::perms::none);

  std::filesystem::rename(path, path + ".1");
  CHECK(server.ask(request("GET", "/second")).status == 404);
  CHECK(contains(path + ".1", "/second"));
  server.process().signal(SIGHUP);
  server.process().wait_for_line("reloaded");
  CHECK(server.ask(request("GET", "/third")).status == 404);
  CHECK(contains(path, "/third"));
  CHECK(read_file(path + ".1").find("/third") == std::string::npos);

  // A file that cannot be opened again leaves the one that is open.
  std::filesystem::rename(path, path + ".2");
  std::filesystem::create_directory(path);
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("the access log cannot be reopened").find(path + ": Is a directory") !=
        std::string::npos);
  CHECK(server.ask(request("GET", "/fourth")).status == 404);
  CHECK(contains(path + ".2", "/fourth"));
  server.process().signal(SIGTERM);
  CHECK(server.process().wait().err.find("\"target\"") == std::string::npos);
}

TEST_CASE("the file of the access log is opened again even when the reload is refused", "[logs]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "access.log").string();
  auto const secret = directory.write("secret", jwt_secret);
  // A file alone turns the access log on, as text.
  RunningDeployd server(store().url(), {"--access-log-file", path, "--jwt-secret-file", secret});
  std::filesystem::remove(path);
  directory.write("secret", "short");
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("not reloaded").find("--jwt-secret-file: " + secret) != std::string::npos);
  CHECK(server.ask(request("GET", "/first")).status == 404);
  CHECK(eventually(std::chrono::seconds(10),
                   [&] { return read_file(path).find("\"GET /first\" 404") != std::string::npos; }));
}

TEST_CASE("lines that the file of the access log has no room for are counted, and hold up nothing", "[logs]") {
  RunningDeployd server(store().url(), {"--access-log", "text", "--access-log-file", "/dev/full"});
  CHECK(server.ask(request("GET", "/first")).status == 404);
  CHECK(server.process()
            .wait_for_line("1 lines of the access log could not be written to /dev/full: ")
            .find("No space left") != std::string::npos);
}

TEST_CASE("a 503 bears an id under which the log has the reason, and the access log the request", "[logs]") {
  auto const own_id = GENERATE(true, false);
  Fixture fixture({"--access-log", "json", "--log-format", "json", "--workers", "1"});
  fixture.take_store_away();
  auto const got = first_failure(fixture, (own_id ? "X-Request-Id: mine\r\n" : "") + std::string(traceparent));
  auto const id = std::string(got["X-Request-Id"]);
  if (own_id)
    CHECK(id == "mine");
  else
    CHECK(id.size() > 16);

  auto const lines = fixture.lines("\"request_id\":\"" + id + '"');
  auto const find = [&](char const* member, std::string_view wanted) {
    for (auto const& line : lines) {
      auto const json = boost::json::parse(line);
      if (text(json, member).find(wanted) == std::string::npos) continue;
      if (member == std::string_view("target") && json.at("status") != 503) continue;
      return text(json, "trace_id");
    }
    return std::string("no such line");
  };
  CHECK(find("message", "a request is answered 503: ") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(find("target", "/api/v1/deployments?name=") == "0af7651916cd43dd8448eb211c80319c");
}

TEST_CASE("each time a SQLite store goes the log says why at once, and each time it comes back", "[logs]") {
  // One worker: another one might have an answer yet.
  Fixture fixture({"--workers", "1"});
  for (int time = 0; time < 2; ++time) {
    fixture.take_store_away();
    first_failure(fixture, "");
    fixture.bring_store_back();
    REQUIRE(eventually(std::chrono::seconds(10), [&] { return fixture.get("/api/v1/deployments").status == 200; }));
  }
  std::string story;
  for (auto const& line : fixture.lines("")) {
    if (line.find("the store is not available: ") != std::string::npos &&
        line.find("there is no such database") != std::string::npos)
      story += "gone ";
    if (line.find("the store is available again") != std::string::npos) story += "back ";
  }
  CHECK(story == "gone back gone back ");
}

TEST_CASE("lines of the log that repeat are held back, and counted", "[logs]") {
  Fixture fixture({"--workers", "1"});
  fixture.take_store_away();
  first_failure(fixture, "");
  constexpr int times = 50;
  std::set<std::string> ids;
  for (int time = 0; time < times; ++time) ids.insert(std::string(fixture.get("/api/v1/deployments")["X-Request-Id"]));
  CHECK(ids.size() == times);

  auto const lines = fixture.lines("a request is answered 503: ");
  REQUIRE(lines.size() >= 2);
  CHECK(lines.size() < times / 2);
  std::size_t counted = 0;
  for (auto const& line : lines) {
    constexpr std::string_view repeated = "repeated ";
    auto const at = line.find(repeated);
    counted += at == std::string::npos ? 1 : std::stoul(line.substr(at + repeated.size()));
  }
  CHECK(counted == times + 1);
}

TEST_CASE("the journal, and nobody else, is told the priority of each line", "[logs]") {
  FilledStore const store(StoreKind::sqlite);
  auto const said = [&](std::string const& stream, std::vector<std::string> const& options) {
    Command command;
    command.arguments = {"/bin/sh",
                         "-c",
                         "JOURNAL_STREAM=" + stream + " exec timeout 1 \"$@\"",
                         "sh",
                         deployd_program(),
                         "serve",
                         "--listen",
                         "127.0.0.1:0"};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return run(command).err;
  };
  std::string const own = "$(stat -Lc %d:%i /proc/self/fd/2)";
  std::vector<std::string> const good{"--database", store.url()};
  std::vector<std::string> const bad{"--database", "sqlite:none.db"};
  CHECK(said(own, good).starts_with("<4>2"));
  CHECK(said(own, {"--database", store.url(), "--log-format", "json"}).starts_with("<4>{"));
  CHECK(said(own, bad).starts_with("<3>deployd: "));
  CHECK(said("1:2", good).starts_with("2"));
  CHECK(said("1:2", bad).starts_with("deployd: "));
}

TEST_CASE("no token gets into the log, wherever a client puts it", "[logs]") {
  auto const format = GENERATE("text", "json");
  Fixture fixture({"--access-log", format, "--log-format", format, "--log-level", "debug"});
  std::string const secret = "0123456789abcdefghijABCDEFGHIJ0123456789-_x";
  auto const token = "dpd_" + secret;
  auto const signature = fixture.jwt.substr(fixture.jwt.rfind('.'));
  for (auto const& one : {token, fixture.jwt}) {
    auto const lines = bearer(one) + "X-Request-Id: " + one + "\r\nCookie: " + one + "\r\n";
    fixture.server.ask(request("GET", "/api/v1/deployments/1", lines));
    fixture.server.ask(request("GET", "/api/v1/deployments?token=" + one, lines));
    fixture.server.ask(request("GET", '/' + one, lines));
    fixture.server.ask(request("GET", "/api/v1/deployments/1", "Authorization: Basic " + one + "\r\n"));
    fixture.server.ask(request(one, "/api/v1/deployments/1", lines));
  }
  auto const lines = fixture.lines("");
  CHECK(lines.size() > 10);
  for (auto const& line : lines) {
    CAPTURE(line);
    CHECK(line.find(secret) == std::string::npos);
    CHECK(line.find(signature) == std::string::npos);
  }
}

TEST_CASE("the log says once in ten seconds and reason why tokens are refused, and in the end how many there were",
          "[logs]") {
  Fixture fixture({"--workers", "2", "--jwt-issuer", "https://id.example.com", "--jwt-audience", "deployd"});
  auto const target = "/api/v1/deployments/1";
  auto const forged = fixture.jwt.substr(0, fixture.jwt.rfind('.') + 1) + std::string(43, 'A');
  for (int i = 0; i < 20; ++i) {
    CHECK(fixture.get(target, "X-Request-Id: mine\r\n").status == 401);
    CHECK(fixture.server.ask(request("GET", target, bearer(forged))).status == 401);
    CHECK(fixture.server.ask(request("GET", target, bearer("dpd_" + std::string(43, 'A')))).status == 401);
    CHECK(fixture.server.ask(request("GET", target, bearer("x") + bearer("y"))).status == 401);
    CHECK(fixture.server.ask(request("GET", target, "Authorization: " + fixture.jwt + "\r\n")).status == 401);
    CHECK(fixture.server.ask(request("GET", target)).status == 401);
  }
  auto const lines = fixture.lines("refused");
  CAPTURE(lines);
  auto const count = [&](std::string_view text) {
    return std::ranges::count_if(lines, [&](auto const& line) { return line.find(text) != line.npos; });
  };
  CHECK(lines.size() == 10);
  CHECK(count(" info token refused: the token is of another issuer (iss); it says alg 'HS256', kid none, iss none, aud "
              "none, expires in ") == 1);
  CHECK(
      count(
          "; expected are alg HS256 or HS384, kid any, iss 'https://id.example.com', aud 'deployd' request_id=mine") ==
      1);
  CHECK(count("token refused: the token has a signature that was made with none of the configured keys") == 1);
  CHECK(count("token refused: the token is an API token that the store does not have") == 1);
  CHECK(count("token refused: the token is malformed: the request has more than one Authorization field") == 1);
  CHECK(count("token refused: the token is missing: the Authorization field does not have the form") == 1);
  CHECK(count("tokens refused: 19 more since the last such line: the token ") == 5);
  CHECK(count(std::string(43, 'A')) == 0);
  CHECK(count(fixture.jwt.substr(fixture.jwt.rfind('.') + 1)) == 0);
}

TEST_CASE("check and serve warn of secrets that others can read, and of private keys among public ones", "[logs]") {
  TemporaryDirectory const directory;
  auto const file = [&](std::string const& name, std::string const& content) {
    auto const path = directory.write(name, content);
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    return path;
  };
  auto const secret = file("secret", "\xEF\xBB\xBF" + jwt_secret + " \n");
  auto const jwks = file("jwks.json", R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","d":"AAAA","x":")"
                                      R"(11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  std::vector<std::string> const wanted{
      secret + ": every user of this machine can get at this secret (mode 0644)",
      secret + ": begins with a byte order mark", secret + ": the secret ends in a space",
      jwks + ": key 0 (kid 'a') has d, of a private key", jwks + ": every user of this machine"};
  std::vector<std::string> const options{"--jwt-secret-file", secret, "--jwks", jwks};
  auto arguments = options;
  arguments.insert(arguments.begin(), {"check", "--database", store().url()});
  auto const checked = run_deployd(arguments);
  CHECK(checked.status == 0);
  RunningDeployd server(store().url(), options);
  server.process().signal(SIGHUP);
  server.process().wait_for_line("reloaded");
  server.process().signal(SIGTERM);
  auto const served = server.process().wait().err;
  for (auto const& line : wanted) {
    CAPTURE(line);
    CHECK(checked.out.find(line) != std::string::npos);
    auto const first = served.find(line);
    REQUIRE(first != std::string::npos);
    auto const second = served.find(line, first + 1);
    REQUIRE(second != std::string::npos);  // after the reload
    CHECK(served.find(line, second + 1) == std::string::npos);
  }
  CHECK((checked.out + checked.err + served).find(jwt_secret) == std::string::npos);
}

TEST_CASE("check warns of a configuration file with the password of the database that others can read", "[logs]") {
  TemporaryDirectory const directory;
  // Passwords are not asked for by the server of the tests.
  auto url = postgresql().create_database();
  CHECK(run_deployd({"migrate", "--database", url}).status == 0);
  auto const user = url.find("//") + 2;
  auto const host = url.find('@', user);
  REQUIRE(host != std::string::npos);
  auto const with_password = url.substr(0, host) + ":s3cret" + url.substr(host);
  auto const said = [&](std::string const& database, int mode, std::string const& content = "") {
    auto const config = directory.write("deployd.toml", "database = \"" + database + "\"\n" + content);
    std::filesystem::permissions(config, std::filesystem::perms(mode));
    auto const outcome = run_deployd({"check", "--config", config}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    CHECK((outcome.out + outcome.err).find("s3cret") == std::string::npos);
    return outcome.out.find(config + ": every user of this machine can get at the password of --database") !=
           std::string::npos;
  };
  CHECK(said(with_password, 0644));
  CHECK_FALSE(said(with_password, 0640));
  CHECK_FALSE(said(url, 0644));
}
