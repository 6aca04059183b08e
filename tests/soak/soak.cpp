// deployd-soak DEPLOYD [--seconds N] [--connections N] [sqlite|postgresql]...
//
// Serves a store that is written to ten times a second to many clients at once, and checks every answer: its status,
// its bytes, and that it is neither stale nor torn. Exit 0 when all were right and the server ended well, with nothing
// of a sanitizer on its stderr.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/postgresql_server.hpp"
#include "tests/process.hpp"
#include "tests/soak/keep_alive_client.hpp"
#include "tests/soak/written_store.hpp"
#include "tests/test_program.hpp"

namespace deployd::tests {
namespace {

struct Arguments {
  std::string program;
  int seconds = 60;
  int connections = 64;
  std::vector<std::string> stores;
};

struct Target {
  std::uint16_t port;
  std::string authorization;  // the header line
  WrittenStore& store;
};

/// What was seen by all clients together.
class Findings {
 public:
  void count(std::string const& question) {
    std::scoped_lock const lock(mutex_);
    ++answers_[question];
  }
  void wrong(std::string const& what) {
    std::scoped_lock const lock(mutex_);
    if (++wrong_ <= 10) std::fprintf(stderr, "WRONG: %s\n", what.c_str());
  }
  bool all_right() const noexcept { return wrong_ == 0; }
  void print() const {
    std::uint64_t total = 0;
    for (auto const& [question, count] : answers_) {
      std::printf("  %-28s %10llu\n", question.c_str(), static_cast<unsigned long long>(count));
      total += count;
    }
    std::printf("  %-28s %10llu, wrong: %llu\n", "all", static_cast<unsigned long long>(total),
                static_cast<unsigned long long>(wrong_));
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> answers_;
  std::uint64_t wrong_ = 0;
};

std::string still_row(int id) {
  return R"({"id":)" + std::to_string(id) + R"(,"pattern_id":)" +
         std::to_string(1 + id % WrittenStore::still_patterns) + R"(,"name":"deployment )" + std::to_string(id) +
         R"("})";
}

/// The number of the first name `v123` behind `from`.
std::uint64_t version_in(std::string const& body, std::size_t from = 0) {
  auto const at = body.find(R"("name":"v)", from);
  if (at == body.npos) throw std::runtime_error("no version in " + body.substr(from, 200));
  return std::stoull(body.substr(at + 9, 20));
}

/// One client: sends requests in a random order of its own until `stop`.
class Client {
 public:
  Client(Target const& target, Findings& findings, unsigned seed)
      : target_(target), findings_(findings), random_(seed), client_(target.port) {}

  void run(std::atomic<bool> const& stop) {
    while (!stop) {
      try {
        ask_something();
      } catch (std::exception const& failure) {
        findings_.wrong(failure.what());
        return;
      }
    }
  }

 private:
  int pick(int most) { return std::uniform_int_distribution<int>(1, most)(random_); }

  HttpAnswer ask(std::string const& question, std::string const& target, std::string_view method = "GET",
                 std::string const& lines = {}) {
    auto answer = client_.ask(method, target, target_.authorization + lines);
    findings_.count(question);
    return answer;
  }

  void expect(HttpAnswer const& answer, unsigned status, std::string const& body, std::string const& question) {
    if (answer.status != status || answer.body != body)
      findings_.wrong(question + ": " + std::to_string(answer.status) + " " + answer.body.substr(0, 300) +
                      "\n  expected: " + std::to_string(status) + " " + body.substr(0, 300));
  }

  void expect_version(std::uint64_t least, std::string const& body, std::size_t from, std::string const& question) {
    auto const seen = version_in(body, from);
    auto const most = target_.store.most_version();
    if (seen < least || seen > most)
      findings_.wrong(question + ": version " + std::to_string(seen) + " is not from " + std::to_string(least) +
                      " to " + std::to_string(most));
  }

  void ask_something() {
    switch (auto const dice = pick(1000); dice) {
      case 1: return ask_everything();
      default:
        if (dice <= 300) return ask_one();
        if (dice <= 550) return ask_changing();
        if (dice <= 650) return ask_changing_list();
        if (dice <= 750) return ask_page();
        if (dice <= 800) return ask_again();
        if (dice <= 850) return ask_unknown();
        if (dice <= 900) return ask_without_token();
        if (dice <= 950) return ask_head();
        return ask_nonsense();
    }
  }

  void ask_one() {
    auto const id = pick(WrittenStore::still_rows);
    expect(ask("one", "/api/v1/deployments/" + std::to_string(id)), 200, still_row(id), "one");
  }

  void ask_changing() {
    auto const least = target_.store.least_version();
    auto const answer = ask("one that changes", "/api/v1/deployments/" + std::to_string(WrittenStore::first_changing));
    expect_version(least, answer.body, 0, "one that changes");
  }

  void ask_changing_list() {
    auto const least = target_.store.least_version();
    auto const answer = ask("list that changes", "/api/v1/deployments?pattern=CHANGING");
    expect_version(least, answer.body, 0, "list that changes");
    expect_whole(answer.body, "list that changes");
  }

  /// Both rows are renamed in one transaction.
  void expect_whole(std::string const& body, std::string const& question) {
    auto const first = body.find(R"("name":"v)");
    if (version_in(body, first) != version_in(body, first + 1))
      findings_.wrong(question + ": torn: " + body.substr(first));
  }

  void ask_page() {
    auto const pattern = pick(WrittenStore::still_patterns);
    auto const after = pick(WrittenStore::still_rows / 2);
    std::string body = "[";
    int id = after + 1;
    while (1 + id % WrittenStore::still_patterns != pattern) ++id;
    for (int row = 0; row < 100; ++row, id += WrittenStore::still_patterns)
      body += (row == 0 ? "" : ",") + still_row(id);
    expect(ask("list of 100", "/api/v1/deployments?pattern=P" + std::to_string(pattern) +
                                  "&$limit=100&id[$gt]=" + std::to_string(after)),
           200, body + "]", "list of 100");
  }

  void ask_again() {
    auto const target = "/api/v1/deployments/" + std::to_string(pick(WrittenStore::still_rows));
    auto const tag = ask("one", target).field("ETag");
    expect(ask("one, not modified", target, "GET", "If-None-Match: " + tag + "\r\n"), 304, "", "one, not modified");
  }

  void ask_unknown() {
    expect(ask("404", "/api/v1/deployments?pattern=NONE"), 404,
           R"({"name":"NotFound","message":"A pattern with the name 'NONE' does not exist!","code":404,)"
           R"("className":"not-found"})",
           "404");
  }

  void ask_without_token() {
    auto const answer = client_.ask("GET", "/api/v1/deployments/1", "Authorization: Bearer dpd_no\r\n");
    findings_.count("401");
    expect(answer, 401,
           R"({"name":"NotAuthenticated","message":"Not authenticated","code":401,"className":"not-authenticated"})",
           "401");
  }

  void ask_head() {
    auto const id = pick(WrittenStore::still_rows);
    auto const answer = ask("HEAD", "/api/v1/deployments/" + std::to_string(id), "HEAD");
    expect(answer, 200, "", "HEAD");
    if (answer.field("Content-Length") != std::to_string(still_row(id).size())) findings_.wrong("HEAD: " + answer.head);
  }

  void ask_nonsense() {
    expect(
        ask("400", "/api/v1/deployments?wrong=1"), 400,
        R"({"name":"BadRequest","message":"Query parameter 'wrong' is unknown","code":400,"className":"bad-request"})",
        "400");
  }

  void ask_everything() {
    auto const least = target_.store.least_version();
    auto const answer = ask("everything, streamed", "/api/v1/deployments");
    auto const changing = answer.body.find(R"({"id":)" + std::to_string(WrittenStore::first_changing));
    if (!answer.chunked || changing == answer.body.npos) return findings_.wrong("everything: " + answer.head);
    if (everything_.empty()) {
      everything_ = "[";
      for (int id = 1; id <= WrittenStore::still_rows; ++id) everything_ += still_row(id) + ",";
    }
    if (answer.body.compare(0, changing, everything_) != 0) findings_.wrong("everything: other rows than there are");
    expect_version(least, answer.body, changing, "everything");
    expect_whole(answer.body, "everything");
  }

  Target target_;
  Findings& findings_;
  std::mt19937 random_;  // whose first numbers differ even for neighbouring seeds
  KeepAliveClient client_;
  std::string everything_;
};

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

std::string database_option(storage::DatabaseUrl const& url) {
  if (auto const* const sqlite = std::get_if<storage::SqliteUrl>(&url)) return "sqlite:" + sqlite->path;
  return connection_uri(std::get<storage::PostgresqlUrl>(url));
}

void ask_from_all_connections(Arguments const& arguments, Target const& target, Findings& findings) {
  std::atomic<bool> stop = false;
  std::vector<std::jthread> clients;
  for (int index = 0; index < arguments.connections; ++index)
    clients.emplace_back([&, index] { Client(target, findings, static_cast<unsigned>(index + 1)).run(stop); });
  std::this_thread::sleep_for(std::chrono::seconds(arguments.seconds));
  stop = true;
}

bool soak(Arguments const& arguments, storage::DatabaseUrl const& url, std::chrono::milliseconds staleness) {
  WrittenStore store(url, staleness);
  auto const database = database_option(url);
  auto const token =
      run({{arguments.program, "token", "create", "--name", "soak", "--database", database}, {}, {}, {}, {}});
  Process server({{arguments.program, "serve", "--database", database, "--listen", "127.0.0.1:0"}, {}, {}, {}, {}});
  auto const listening = server.wait_for_line("listening on 127.0.0.1:");
  Target const target{static_cast<std::uint16_t>(std::stoi(listening.substr(listening.rfind(':') + 1))),
                      "Authorization: Bearer " + first_line(token.out) + "\r\n", store};
  Findings findings;
  store.start_writing();
  ask_from_all_connections(arguments, target, findings);
  store.stop_writing();
  server.signal(SIGTERM);
  auto const end = server.wait();
  findings.print();
  std::printf("  commits: %llu, exit status of the server: %d\n", static_cast<unsigned long long>(store.most_version()),
              end.status);
  auto const reported = end.err.find("Sanitizer") != end.err.npos || end.err.find("runtime error") != end.err.npos;
  if (reported || end.status != 0) std::fprintf(stderr, "%s\n", end.err.c_str());
  return findings.all_right() && end.status == 0 && !reported;
}

bool soak_store(Arguments const& arguments, std::string const& store) {
  std::printf("%s, %d connections, %d s\n", store.c_str(), arguments.connections, arguments.seconds);
  if (store == "sqlite") {
    TemporaryDirectory const directory;
    return soak(arguments, storage::SqliteUrl{directory.path() / "soak.db"}, std::chrono::milliseconds(0));
  }
  PostgresqlServer server;
  return soak(arguments, *storage::parse_database_url(server.create_database() + "?prepare=on"),
              std::chrono::seconds(1));
}

Arguments parse(std::vector<std::string> const& words) {
  Arguments arguments;
  auto const others =
      read_options(words, {{"--seconds", &arguments.seconds}, {"--connections", &arguments.connections}});
  for (auto const& word : others) {
    if (word == "sqlite" || word == "postgresql") {
      arguments.stores.push_back(word);
    } else if (arguments.program.empty()) {
      arguments.program = word;
    } else {
      throw std::invalid_argument("cannot make sense of '" + word + "'");
    }
  }
  if (arguments.program.empty()) throw std::invalid_argument("which deployd?");
  if (arguments.stores.empty()) arguments.stores = {"sqlite", "postgresql"};
  return arguments;
}

bool soak_all(std::vector<std::string> const& words) {
  auto const arguments = parse(words);
  bool right = true;
  for (auto const& store : arguments.stores) right = soak_store(arguments, store) && right;
  return right;
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  return deployd::tests::run_program("deployd-soak", argc, argv, deployd::tests::soak_all);
}
