// CONTRACT: sync makes a store a mirror of another server of the API, or leaves it as it is and says why.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/http_provider.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

using Arguments = std::vector<std::string>;

/// A store that does not exist yet, and a file with a token for the source.
class Target {
 public:
  explicit Target(StoreKind kind = StoreKind::sqlite, std::string const& token = "the-token")
      : url_(kind == StoreKind::sqlite ? "sqlite:" + (directory_.path() / "mirror.db").string()
                                       : postgresql().create_database()),
        token_file_(directory_.write("token", token + "\n")) {
    std::filesystem::permissions(token_file_, std::filesystem::perms::owner_read);
  }

  std::string const& url() const noexcept { return url_; }
  TemporaryDirectory const& directory() const noexcept { return directory_; }

  Command command(std::string const& from, Arguments const& more = {}) const {
    Command command;
    command.arguments = {deployd_program(), "sync", "--from", from, "--token-file", token_file_, "--database", url_};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    return command;
  }
  Outcome sync(std::string const& from, Arguments const& more = {}) const { return run(command(from, more)); }

  std::string exported() const {
    auto const outcome = run_deployd({"export", "--database", url_, "--format", "csv"});
    return outcome.status == 0 ? outcome.out : "(" + outcome.err + ")";
  }

 private:
  TemporaryDirectory directory_;
  std::string url_;
  std::string token_file_;
};

/// A deployd that is mirrored.
class Origin {
 public:
  explicit Origin(std::string const& data) : store_(StoreKind::sqlite, data), token_(store_.create_token()) { start(); }

  void start() { server_ = std::make_unique<RunningDeployd>(store_.url()); }
  void stop() { server_.reset(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::string const& token() const noexcept { return token_; }

  void replace(std::string const& data) const {
    auto const outcome = run_deployd({"import", "--replace", "--database", store_.url(), "-"}, {}, data);
    REQUIRE(outcome.status == 0);
  }
  std::string exported() const { return run_deployd({"export", "--database", store_.url(), "--format", "csv"}).out; }

 private:
  FilledStore store_;
  std::string token_;
  std::unique_ptr<RunningDeployd> server_;
};

/// CSV of 100 deployments in 10 patterns; `first` is the id of the first, and all names end in `ending`.
std::string hundred_rows(int first, std::string const& ending) {
  std::string text = "id,name\n";
  for (int i = 0; i < 10; ++i) text += std::to_string(i) + ",P" + std::to_string(i) + '\n';
  text += "id,pattern_id,name\n";
  for (int i = first; i < first + 100; ++i)
    text += std::to_string(i) + ',' + std::to_string(i % 10) + ",name " + std::to_string(i) + ending + '\n';
  return text;
}

/// A server like the original: lists by pattern, and no list of patterns.
class Hosted {
 public:
  Hosted() : provider_([this](std::string const& target, std::string const&) { return answer(target); }) {}

  /// What it answers to `?pattern=NAME`, with the name as it is encoded.
  void set(std::string const& name, Provided answer) {
    std::scoped_lock const lock(mutex_);
    lists_[name] = std::move(answer);
  }
  std::string url() const { return provider_.url(""); }
  std::size_t count(std::string const& name) const { return provider_.count(prefix + name); }
  HttpProvider& provider() noexcept { return provider_; }

  static inline std::string const prefix = "/api/v1/deployments?pattern=";

 private:
  Provided answer(std::string const& target) {
    std::scoped_lock const lock(mutex_);
    auto const name = target.starts_with(prefix) ? target.substr(prefix.size()) : "";
    auto const list = lists_.find(name);
    return list == lists_.end() ? Provided{"{}", 404} : list->second;
  }

  std::mutex mutex_;
  std::map<std::string, Provided> lists_;
  HttpProvider provider_;
};

std::string deployment(int id, int pattern_id, std::string const& name) {
  return R"({"id":)" + std::to_string(id) + R"(,"pattern_id":)" + std::to_string(pattern_id) + R"(,"name":")" + name +
         "\"}";
}

StoreKind every_kind() {
  return GENERATE(StoreKind::sqlite, StoreKind::postgresql);
}

}  // namespace

TEST_CASE("a mirror of another deployd has its rows and no others, and says what has changed", "[sync]") {
  Origin const origin(hundred_rows(1, ""));
  Target const target(every_kind(), origin.token());
  auto const trial = target.sync(origin.url(), {"--dry-run"});
  CAPTURE(trial.err);
  CHECK(trial.out ==
        "Nothing was changed. This sync would change:\npatterns: 10 added, 0 updated, 0 unchanged, 0 deleted\n"
        "deployments: 100 added, 0 updated, 0 unchanged, 0 deleted\n");
  CHECK(target.exported().starts_with("("));

  auto const first = target.sync(origin.url());
  CAPTURE(first.err);
  CHECK(first.status == 0);
  CHECK(first.out == "Mirrored " + origin.url() +
                         ":\npatterns: 10 added, 0 updated, 0 unchanged, 0 deleted\n"
                         "deployments: 100 added, 0 updated, 0 unchanged, 0 deleted\n");
  CHECK(first.err.empty());
  CHECK(target.exported() == origin.exported());

  origin.replace("id,name\n0,P0\n4,new\n1,renamed\nid,pattern_id,name\n50,1,moved\n60,0,name 60\n1000,4,\"näw\"\"\"\n");
  auto const second = target.sync(origin.url());
  CHECK(second.out == "Mirrored " + origin.url() +
                          ":\npatterns: 0 added, 2 updated, 1 unchanged, 7 deleted\n"
                          "deployments: 1 added, 1 updated, 1 unchanged, 98 deleted\n");
  CHECK(target.exported() == origin.exported());
}

TEST_CASE("named patterns are mirrored from a server that has no list of patterns", "[sync]") {
  Hosted hosted;
  Target const target(every_kind());
  hosted.set("A", {"[" + deployment(2, 7, "two") + "," + deployment(1, 7, "one") + "]"});
  hosted.set("B%20%26%20%C3%BC", {"[" + deployment(3, 8, "three") + "]"});
  Arguments const both{"--pattern", "A", "--pattern", "B & ü"};
  CHECK(target.sync(hosted.url(), both).status == 0);
  CHECK(target.exported() == "id,name\n7,A\n8,B & ü\n\nid,pattern_id,name\n1,7,one\n2,7,two\n3,8,three\n");
  CHECK_THAT(hosted.provider().last_head(), ContainsSubstring("\r\nAuthorization: Bearer the-token\r\n"));

  hosted.set("A", {"[" + deployment(2, 9, "two") + "]"});
  hosted.set("B%20%26%20%C3%BC", {"[]"});
  CHECK(target.sync(hosted.url(), {"--pattern", "A"}).status == 0);
  CHECK(target.exported() == "id,name\n8,B & ü\n9,A\n\nid,pattern_id,name\n2,9,two\n3,8,three\n");
  CHECK(target.sync(hosted.url(), both).status == 0);
  CHECK(target.exported() == "id,name\n8,B & ü\n9,A\n\nid,pattern_id,name\n2,9,two\n");
}

TEST_CASE("a pattern without deployments gets its id from a source that lists patterns, and waits for one otherwise",
          "[sync]") {
  Origin const origin(sample_data);
  Target const target(StoreKind::sqlite, origin.token());
  CHECK(target.sync(origin.url(), {"--pattern", "EMPTY"}).status == 0);
  CHECK(target.exported() == "id,name\n3,EMPTY\n\nid,pattern_id,name\n");

  Hosted hosted;
  hosted.set("NONE", {"[]"});
  auto const outcome = target.sync(hosted.url(), {"--pattern", "NONE"});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.err, ContainsSubstring("pattern 'NONE' has no deployments, so its id is not known"));
  CHECK(target.exported() == "id,name\n3,EMPTY\n\nid,pattern_id,name\n");
}

TEST_CASE("everything cannot be mirrored from a server that has no list of patterns", "[sync]") {
  Hosted const hosted;
  Target const target;
  auto const outcome = target.sync(hosted.url());
  CHECK(outcome.status == 69);
  CHECK(outcome.err == "deployd: " + hosted.url() +
                           "/api/v1/patterns: answered with status 404; without this list the names of its patterns "
                           "are not known: name each one with --pattern\n");
}

TEST_CASE("a source that does not answer as it should changes nothing and is named in one line", "[sync]") {
  struct Case {
    char const* what;
    Provided answer;
    int status;
    std::string line;
  };
  auto const good = deployment(1, 9, "one");
  std::vector<Case> const cases{
      {"HTML", {"<!DOCTYPE html>"}, 65, "not JSON (RFC 8259): syntax error"},
      {"a page of a list", {R"({"total":1,"data":[]})"}, 65, "an object instead of an array of deployments"},
      {"a list with a next page",
       {"[" + good + "]", 200, "Link: </api/v1/deployments?page=2>; rel=\"next\"\r\n"},
       65,
       "the source sends the list in pages"},
      {"nothing", {""}, 65, "the text ends in the middle of the JSON"},
      {"two records with one id", {"[" + good + "," + good + "]"}, 65, "a second deployment with the id 1"},
      {"an id beyond 64 bits",
       {R"([{"id":9223372036854775808,"pattern_id":7,"name":"x"}])"},
       65,
       "a deployment: \"id\" is not an integer of 64 bits"},
      {"records of another pattern",
       {"[" + good + "," + deployment(2, 8, "two") + "]"},
       65,
       "deployment 2 is of pattern 8, and others are of pattern 9: the source does not filter by pattern"},
      {"a record without a name", {R"([{"id":1,"pattern_id":7}])"}, 65, "deployment 1: no \"name\""},
      {"a refused token", {"{}", 401}, 69, "answered with status 401: it does not accept the token in "},
      {"no such pattern", {"{}", 404}, 69, "answered with status 404: the source has no pattern with this name"},
      {"an error that stays", {"{}", 500}, 69, "answered with status 500"},
      {"a list that is cut short", {.body = "[" + good + "]", .cut = true}, 69, "the response is cut short"},
      {"a list without its last chunk",
       {.body = "[" + good + "]", .cut = true, .chunked = true},
       69,
       "the response is cut short"},
  };
  // All at once, because those that are tried again take seconds.
  struct Trial {
    Hosted hosted;
    Target target;
    std::unique_ptr<Process> process;
  };
  std::vector<std::unique_ptr<Trial>> trials;
  for (auto const& one : cases) {
    auto& trial = *trials.emplace_back(std::make_unique<Trial>());
    trial.hosted.set("A", {"[" + deployment(5, 7, "old") + "]"});
    trial.hosted.set("B", {"[" + deployment(6, 9, "old") + "]"});
    REQUIRE(trial.target.sync(trial.hosted.url(), {"--pattern", "A", "--pattern", "B"}).status == 0);
    trial.hosted.set("A", {"[" + deployment(7, 7, "new") + "]"});
    trial.hosted.set("B", one.answer);
    trial.process = std::make_unique<Process>(
        trial.target.command(trial.hosted.url(), {"--pattern", "A", "--pattern", "B", "--log-level", "error"}));
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].what);
    auto const outcome = trials[i]->process->wait();
    CHECK(outcome.status == cases[i].status);
    CHECK_THAT(outcome.err, ContainsSubstring(trials[i]->hosted.url()) && ContainsSubstring(cases[i].line));
    CHECK(std::ranges::count(outcome.err, '\n') == 1);
    CHECK(outcome.err.find("the-token") == outcome.err.npos);
    CHECK(trials[i]->target.exported() == "id,name\n7,A\n9,B\n\nid,pattern_id,name\n5,7,old\n6,9,old\n");
  }
}

TEST_CASE("two patterns of one id, and lists that do not fit together, change nothing", "[sync]") {
  Hosted hosted;
  Target const target;
  hosted.set("A", {"[" + deployment(1, 7, "one") + "]"});
  hosted.set("B", {"[" + deployment(2, 7, "two") + "]"});
  auto const shared = target.sync(hosted.url(), {"--pattern", "A", "--pattern", "B"});
  CHECK(shared.status == 65);
  CHECK_THAT(shared.err, EndsWith("the patterns 'A' and 'B' have the same id 7\n"));

  HttpProvider const server([](std::string const& path, std::string const&) {
    return path == "/api/v1/patterns" ? Provided{R"([{"id":1,"name":"A"}])"}
                                      : Provided{"[" + deployment(1, 2, "one") + "]"};
  });
  auto const misfit = target.sync(server.url(""));
  CHECK(misfit.status == 65);
  CHECK_THAT(misfit.err, EndsWith("deployment 1: there is no pattern 2\n"));
  CHECK(server.count("/api/v1/deployments") == 3);
}

TEST_CASE("a source is read by https with a certificate that is verified", "[sync]") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer const server(store.url());
  Target const target(StoreKind::sqlite, store.create_token());
  auto const ca = target.directory().write("ca.pem", server.files.authority.certificate());
  auto const stranger = target.directory().write("stranger.pem", CertificateAuthority().certificate());
  auto const port = std::to_string(server.running.port());
  auto const outcome = target.sync("https://localhost:" + port, {"--ca", ca});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  auto const before = target.exported();
  store.import(R"({"pattern":{"id":50,"name":"new"}})");
  for (auto const& [url, more] : {std::pair{"https://localhost:" + port, Arguments{"--ca", stranger}},
                                  {"https://localhost:" + port, Arguments{}},
                                  {"https://127.0.0.1:" + port, Arguments{"--ca", ca}}}) {
    auto const refused = target.sync(url, more);
    CHECK(refused.status == 69);
    CHECK_THAT(refused.err, ContainsSubstring("the certificate is refused: "));
    CHECK(target.exported() == before);
  }
}

TEST_CASE("a failure that passes is tried again, no earlier than Retry-After says", "[sync]") {
  std::atomic<int> requests{0};
  HttpProvider const server([&](std::string const&, std::string const&) {
    return ++requests == 1 ? Provided{"{}", 503, "Retry-After: 2\r\n"} : Provided{"[" + deployment(1, 7, "one") + "]"};
  });
  Target const target;
  auto const start = std::chrono::steady_clock::now();
  auto const outcome = target.sync(server.url(""), {"--pattern", "A"});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.err, ContainsSubstring("answered with status 503; next attempt in 2.0 s"));
  CHECK(std::chrono::steady_clock::now() - start >= 2s);
  CHECK(requests == 2);
}

TEST_CASE("a Retry-After that is too long is not waited for", "[sync]") {
  Hosted hosted;
  hosted.set("A", {"{}", 429, "Retry-After: 3600\r\n"});
  CHECK(Target().sync(hosted.url(), {"--pattern", "A"}).status == 69);
  CHECK(hosted.count("A") == 1);
}

TEST_CASE("with --every a mirror follows its source while it is served, until SIGTERM", "[sync]") {
  Origin origin(sample_data);
  Target const target(every_kind(), origin.token());
  Process sync(target.command(origin.url(), {"--every", "1s"}));
  sync.wait_for_line("deployments: 5 added, 0 updated, 0 unchanged, 0 deleted");
  CHECK(target.exported() == origin.exported());

  RunningDeployd const server(target.url(), {}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const token = run_deployd({"token", "create", "--name", "reader", "--database", target.url()}).out;
  auto const list = [&] {
    return server.ask(request("GET", "/api/v1/deployments", bearer(token.substr(0, token.size() - 1))));
  };
  CHECK_THAT(list().body, ContainsSubstring("\"last\""));
  origin.replace("id,name\n1,A\nid,pattern_id,name\n8,1,eight\n");
  sync.wait_for_line("deployments: 1 added, 0 updated, 0 unchanged, 5 deleted");
  CHECK(eventually(5s, [&] { return list().body == "[" + deployment(8, 1, "eight") + "]"; }));

  origin.stop();
  auto const line = sync.wait_for_line("the mirror was not renewed: ");
  CHECK_THAT(line, ContainsSubstring("cannot connect: Connection refused; what it has stays; next attempt in 1 s"));
  CHECK(list().body == "[" + deployment(8, 1, "eight") + "]");
  sync.signal(SIGTERM);
  CHECK(sync.wait().status == 0);
}

TEST_CASE("what has not changed at the source is not read again", "[sync]") {
  std::mutex mutex;
  std::string tag = "\"a\"";
  std::string body = "[" + deployment(1, 7, "one") + "]";
  std::atomic<int> unchanged{0};
  HttpProvider const server([&](std::string const&, std::string const& head) {
    std::scoped_lock const lock(mutex);
    if (head.find("If-None-Match: " + tag + "\r\n") == head.npos) return Provided{body, 200, "ETag: " + tag + "\r\n"};
    ++unchanged;
    return Provided{"", 304, "ETag: " + tag + "\r\n"};
  });
  Target const target;
  Process sync(target.command(server.url(""), {"--pattern", "A", "--every", "1s"}));
  sync.wait_for_line("deployments: 1 added");
  CHECK(eventually(20s, [&] { return unchanged >= 2; }));
  CHECK(target.exported() == "id,name\n7,A\n\nid,pattern_id,name\n1,7,one\n");
  {
    std::scoped_lock const lock(mutex);
    tag = "\"b\"";
    body = "[" + deployment(2, 7, "two") + "]";
  }
  sync.wait_for_line("deployments: 1 added, 0 updated, 0 unchanged, 1 deleted");
  CHECK(target.exported() == "id,name\n7,A\n\nid,pattern_id,name\n2,7,two\n");
  sync.signal(SIGTERM);
  CHECK(sync.wait().status == 0);
}

TEST_CASE("of a whole mirror both lists are read when one of them has changed", "[sync]") {
  std::mutex mutex;
  std::string patterns = R"([{"id":7,"name":"A"}])";
  std::string deployments = "[" + deployment(1, 7, "one") + "]";
  HttpProvider const server([&](std::string const& target, std::string const& head) {
    std::scoped_lock const lock(mutex);
    auto const& body = target == "/api/v1/patterns" ? patterns : deployments;
    auto const tag = '"' + std::to_string(std::hash<std::string>()(body)) + '"';
    auto const lines = "ETag: " + tag + "\r\n";
    return head.find(tag) == head.npos ? Provided{body, 200, lines} : Provided{"", 304, lines};
  });
  Target const target;
  Process sync(target.command(server.url(""), {"--every", "1s"}));
  sync.wait_for_line("patterns: 1 added");
  {
    std::scoped_lock const lock(mutex);
    deployments = "[" + deployment(2, 7, "two") + "]";
  }
  sync.wait_for_line("patterns: 0 added, 0 updated, 1 unchanged, 0 deleted; deployments: 1 added");
  {
    std::scoped_lock const lock(mutex);
    patterns = R"([{"id":7,"name":"B"}])";
  }
  sync.wait_for_line("patterns: 0 added, 1 updated, 0 unchanged, 0 deleted; deployments: 0 added");
  CHECK(target.exported() == "id,name\n7,B\n\nid,pattern_id,name\n2,7,two\n");
  CHECK(sync.err().find("read again") == std::string::npos);
}

TEST_CASE("SIGTERM ends a mirror whose source says nothing", "[sync]") {
  HttpProvider const server([](std::string const&, std::string const&) { return Provided{.stalls = true}; });
  Target const target;
  Process sync(target.command(server.url(""), {"--every", "1s"}));
  CHECK(eventually(20s, [&] { return server.count("/api/v1/patterns") == 1; }));
  sync.signal(SIGTERM);
  CHECK(sync.wait(10s).status == 0);
}

TEST_CASE("serve beside a mirror says when it was last renewed", "[sync]") {
  Hosted hosted;
  Target const target;
  TemporaryDirectory const state;
  Arguments const options{"--pattern", "A", "--state-directory", state.path().string()};
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--admin-listen", "127.0.0.1:0", "--state-directory", state.path().string()});
  auto const port = admin_port(server);
  auto const age = [&] {
    return Metrics::of(port)["deployd_mirror_last_success_timestamp_seconds{source=\"" + hosted.url() + "\"}"];
  };
  CHECK(target.sync(hosted.url(), options).status == 69);
  CHECK(age() == 0);
  hosted.set("A", {"[]"});
  auto const before = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  CHECK(target.sync(hosted.url(), options).status == 0);
  auto const renewed = age();
  CHECK(renewed >= static_cast<double>(before));
  hosted.set("A", {"{}", 404});
  CHECK(target.sync(hosted.url(), options).status == 69);
  CHECK(age() == renewed);
}

TEST_CASE("options of sync that cannot be used are refused in one line", "[sync]") {
  struct Case {
    Arguments options;
    int status;
    std::string line;
  };
  TemporaryDirectory const directory;
  auto const token = directory.write("token", "t\n");
  auto const two = directory.write("two", "one two\n");
  Arguments const good{"--from", "https://localhost:1", "--token-file", token};
  std::vector<Case> const cases{
      {{"--token-file", token}, 64, "--from is missing"},
      {{"--from", "https://localhost"}, 64, "--token-file is missing"},
      {{"--from", "http://deployd.example.com", "--token-file", token}, 64, "--from: http would show the token"},
      {{"--from", "https://me:secret@localhost", "--token-file", token}, 64, "--from: is not the URL of a server: "},
      {{"--from", "ftp://localhost", "--token-file", token}, 64, "--from: is not the URL of a server: "},
      {{"--from", "https://localhost/?x=1", "--token-file", token}, 64, "--from: must not have a query"},
      {{"--from", "https://localhost/api/v1", "--token-file", token},
       64,
       "--from: must end before the path of the API"},
      {{"--from", "https://localhost", "--token-file", "/none"}, 78, "/none: No such file or directory"},
      {{"--from", "https://localhost", "--token-file", two}, 78, two + ": must hold one token"},
      {{"--every", "1ms"}, 64, "--every: "},
      {{"--every", "5m", "--dry-run"}, 64, "--dry-run: does not go together with --every"},
      {{"--pattern", "A", "--pattern", "A"}, 64, "--pattern: 'A' is given twice"},
      {{"--pattern", ""}, 64, "--pattern: is empty"},
      {{"--ca", "/none"}, 78, "/none: No such file or directory"},
      {{"--state-directory", "/none/none"}, 64, "--state-directory: /none/none: there is no such directory"},
  };
  for (auto const& [options, status, line] : cases) {
    auto all = options;
    if (options.front() != "--from" && options.front() != "--token-file")
      all.insert(all.begin(), good.begin(), good.end());
    all.insert(all.begin(), "sync");
    auto const outcome = run_deployd(all, {{"DEPLOYD_DATABASE", "sqlite:" + (directory.path() / "x.db").string()}});
    CAPTURE(outcome.err);
    CHECK(outcome.status == status);
    CHECK_THAT(outcome.err, ContainsSubstring(line));
    CHECK(outcome.err.find("secret") == outcome.err.npos);
  }
  CHECK_FALSE(std::filesystem::exists(directory.path() / "x.db"));
}
