// A disk, or another place for the log, without room.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/listening_socket.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// `deployd ARGUMENTS` where no file can grow beyond 100 KiB: as good as a full disk, since the write fails.
Outcome run_without_room(std::vector<std::string> const& arguments, std::string const& input = {}) {
  auto command = limited_deployd("ulimit -f 200", arguments);
  command.input = input;
  return run(command);
}

std::string many_deployments() {
  std::string text = "{\"pattern\":{\"id\":50,\"name\":\"MANY\"}}\n";
  for (int i = 1000; i < 21'000; ++i)
    text +=
        R"({"deployment":{"id":)" + std::to_string(i) + R"(,"pattern_id":50,"name":"a name of some length"}})" + "\n";
  return text;
}

/// Lets no file of a process grow beyond `bytes`, or any.
void limit_files_of(pid_t process, rlim_t bytes) {
  rlimit const limit{bytes, RLIM_INFINITY};
  REQUIRE(::prlimit(process, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

/// A server whose log goes into a file.
struct LoggingDeployd {
  explicit LoggingDeployd(std::string const& database) : process(command(database)) {}

  Command command(std::string const& database) const {
    Command result;
    result.arguments = {
        "/bin/sh",         "-c",  "exec \"$@\" 2>\"$0\"", log,    deployd_program(), "serve", "--database",    database,
        "--workers",       "1",   "--access-log",         "json", "--log-format",    "json",  "--cache-bytes", "0",
        "--write-timeout", "80ms"};
    result.passed_sockets = {socket.fd()};
    return result;
  }

  ListeningSocket socket;
  TemporaryDirectory directory;
  std::string log = (directory.path() / "log").string();
  Process process;
};

struct LogLines {
  int requests = 0;  // that are there in a whole line
  int lost = 0;      // lines that are said to be lost
};

LogLines count_lines(std::string const& log) {
  LogLines lines;
  std::istringstream text(read_file(log));
  for (std::string line; std::getline(text, line);) {
    if (line.find("\"target\"") != line.npos && line.ends_with('}')) ++lines.requests;
    if (auto const at = line.find(" lines of the log could not be written: "); at != line.npos)
      lines.lost += std::stoi(line.substr(line.rfind('"', at) + 1));
  }
  return lines;
}

/// As much as a log of whole lines takes, and another line like its last, but for the end of that line.
std::uintmax_t room_for_unended_line(std::string const& log) {
  auto const text = read_file(log);
  auto const last_line = text.size() - 1 - text.rfind('\n', text.size() - 2);
  return text.size() + last_line - 1;
}

}  // namespace

TEST_CASE("an import that finds no room is exit 69, names the database, and changes nothing for whoever is served") {
  FilledStore const store(StoreKind::sqlite);
  auto const question = request("GET", "/api/v1/deployments", bearer(store.create_token()));
  RunningDeployd const server(store.url());
  auto const before = server.ask(question);
  CHECK(before.status == 200);

  auto const failed = run_without_room({"import", "--database", store.url(), "-"}, many_deployments());
  CHECK(failed.status == 69);
  CHECK(failed.err.starts_with("deployd: --database: " + (store.directory() / "").string()));
  CHECK(failed.err.find('\n') == failed.err.size() - 1);

  auto const after = server.ask(question);
  CHECK(after.status == 200);
  CHECK(after.body == before.body);
  store.import(many_deployments());
  CHECK(server.ask(request("GET", "/api/v1/deployments/1000", bearer(store.create_token()))).status == 200);
}

TEST_CASE("a store that finds no room is exit 69, and nothing of it is taken for one") {
  TemporaryDirectory const directory;
  auto const url = "sqlite:" + (directory.path() / "new.db").string();
  auto const failed = run(limited_deployd("ulimit -f 8", {"migrate", "--database", url}));
  CHECK(failed.status == 69);
  CHECK(failed.err.find("new.db") != std::string::npos);
  CHECK(run_deployd({"check", "--database", url}).status == 69);
  CHECK(run_deployd({"migrate", "--database", url}).status == 0);
}

TEST_CASE("a store that has no room for what reading it takes says so") {
  FilledStore const store(StoreKind::sqlite);
  for (auto const* const program : {"check", "export"}) {
    auto const failed = run(limited_deployd("ulimit -f 1", {program, "--database", store.url()}));
    CAPTURE(failed.err);
    CHECK(failed.status == 69);
    CHECK(failed.err.ends_with(": no space is left for the database or its temporary files\n"));
    CHECK(std::ranges::count(failed.err, '\n') == 1);
  }
}

TEST_CASE(
    "while the disk is full everything is answered, the lines that the log loses are counted, and then it goes on") {
  FilledStore const store(StoreKind::sqlite);
  auto const question = request("GET", "/api/v1/deployments", bearer(store.create_token()));
  LoggingDeployd server(store.url());
  HttpConnection connection(server.socket.port());
  int asked = 0;
  auto const answered = [&] {
    ++asked;
    return connection.ask(question).status == 200;
  };
  CHECK(answered());

  CHECK(eventually(10s, [&] { return count_lines(server.log).requests == 1; }));
  auto const room = GENERATE(false, true) ? room_for_unended_line(server.log) : 10'001;
  limit_files_of(server.process.pid(), room);
  CHECK(eventually(10s, [&] { return answered() && std::filesystem::file_size(server.log) == room; }));
  for (int i = 0; i < 100; ++i) CHECK(answered());
  CHECK(run_without_room({"import", "--database", store.url(), "-"}, many_deployments()).status == 69);
  CHECK(answered());

  limit_files_of(server.process.pid(), RLIM_INFINITY);
  CHECK(eventually(20s, [&] { return answered() && count_lines(server.log).lost > 0; }));
  server.process.signal(SIGTERM);
  CHECK(server.process.wait().status == 0);
  auto const lines = count_lines(server.log);
  CAPTURE(read_file(server.log).substr(room - 200, 1000));
  CHECK(lines.requests + lines.lost == asked);
  CHECK(lines.lost > 100);
}

TEST_CASE("while nobody reads the log everything is answered, and the lines that it loses are counted") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1", "--access-log", "text", "--write-timeout", "80ms"});
  auto connection = server.connect();
  // Far more lines than the pipe has room for, and than are waited for.
  CHECK_FALSE(eventually(2500ms, [&] { return connection.ask(request("GET", "/healthz")).status != 200; }));
  server.process().wait_for_line(" lines of the log could not be written: ");
  server.process().signal(SIGTERM);
  CHECK(server.process().wait().status == 0);
}
