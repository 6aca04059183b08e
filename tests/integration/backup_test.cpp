// `deployd backup`: a copy of a SQLite store while it is in use.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

Outcome back_up(std::string const& url, std::filesystem::path const& file) {
  return run_deployd({"backup", "--database", url, file.string()});
}

std::string export_of(std::string const& url) {
  auto const outcome = run_deployd({"export", "--database", url});
  return outcome.status == 0 ? outcome.out : outcome.err;
}

/// Everything in a folder, by name.
std::string listing(std::filesystem::path const& folder) {
  std::string names;
  for (auto const& entry : std::filesystem::directory_iterator(folder))
    names += entry.path().filename().string() + '\n';
  return names;
}

void expect_refusal(Outcome const& outcome, int status, std::string const& culprit) {
  CAPTURE(outcome.err, culprit);
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.find(culprit) != std::string::npos);
}

/// A pattern and `rows` deployments that all bear a number: one transaction writes them.
std::string generation(int number, int rows = 200) {
  std::string data = R"({"patterns":[{"id":7,"name":"generation )" + std::to_string(number) + R"("}],"deployments":[)";
  for (int id = 100; id < 100 + rows; ++id)
    data += (id == 100 ? "" : ",") + (R"({"id":)" + std::to_string(id)) + R"(,"pattern_id":7,"name":")" +
            std::to_string(number) + R"("})";
  return data + "]}";
}

}  // namespace

TEST_CASE("a backup holds what the store holds, tokens as well, and can be read by its owner alone", "[backup]") {
  TemporaryDirectory const directory;
  auto const copy = directory.path() / "copy.db";
  auto const token = store().create_token();
  auto const outcome = back_up(store().url(), copy);
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find(copy.string()) != std::string::npos);
  CHECK(listing(directory.path()) == "copy.db\n");
  struct stat status {};
  REQUIRE(::stat(copy.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(export_of("sqlite:" + copy.string()) == export_of(store().url()));
  RunningDeployd const server("sqlite:" + copy.string());
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", bearer(token))).status == 200);
}

TEST_CASE("a file that is there already is left as it is", "[backup]") {
  TemporaryDirectory const directory;
  auto const file = directory.write("precious", "data");
  expect_refusal(back_up(store().url(), file), 64, file);
  CHECK(read_file(file) == "data");
  std::filesystem::create_symlink("nowhere", directory.path() / "link");
  expect_refusal(back_up(store().url(), directory.path() / "link"), 64, "link");
}

TEST_CASE("what cannot be backed up is refused in one line", "[backup]") {
  TemporaryDirectory const directory;
  auto const file = directory.path() / "copy.db";
  expect_refusal(back_up("postgresql://u:secret@127.0.0.1/d", file), 64, "pg_dump");
  expect_refusal(back_up("sqlite:" + (directory.path() / "none.db").string(), file), 69, "none.db");
  expect_refusal(back_up("sqlite:" + directory.write("empty.db", ""), file), 69, "empty.db");
  expect_refusal(back_up("sqlite:" + directory.write("text.db", std::string(5000, 'x')), file), 69, "text.db");
  expect_refusal(back_up(store().url(), directory.path() / "missing" / "copy.db"), 74, "missing/copy.db");
  expect_refusal(run_deployd({"backup", "--database", store().url()}), 64, "FILE");
  expect_refusal(run_deployd({"backup", "--database", store().url(), "a", "b"}), 64, "b");
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(listing(directory.path()).find("unfinished") == std::string::npos);
}

TEST_CASE("a backup that finds no room leaves nothing behind", "[backup]") {
  // A limit on the size of files is as good as a full disk: the write fails.
  FilledStore const large(StoreKind::sqlite, generation(0, 10'000));
  TemporaryDirectory const directory;
  auto const file = directory.path() / "copy.db";
  auto const command = limited_deployd("ulimit -f 200", {"backup", "--database", large.url(), file.string()});
  expect_refusal(run(command), 69, "copy.db");
  CHECK(listing(directory.path()).empty());
}

TEST_CASE("a backup taken while the store is written to is of one moment, and holds up no reader", "[backup]") {
  FilledStore const written(StoreKind::sqlite, generation(0));
  auto const line = bearer(written.create_token());
  RunningDeployd const server(written.url());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int number = 1; !done; ++number) written.import(generation(number));
  });
  TemporaryDirectory const directory;
  for (int i = 0; i < 10; ++i) {
    auto const copy = directory.path() / (std::to_string(i) + ".db");
    CHECK(back_up(written.url(), copy).status == 0);
    CHECK(server.ask(request("GET", "/api/v1/deployments/100", line)).status == 200);
    auto const text = export_of("sqlite:" + copy.string());
    auto const at = text.find("generation ");
    REQUIRE(at != std::string::npos);
    auto const number = text.substr(at + 11, text.find('"', at) - at - 11);
    auto const row = R"("pattern_id":7,"name":")" + number + "\"}";
    int of_this = 0;
    for (auto found = text.find(row); found != std::string::npos; found = text.find(row, found + 1)) ++of_this;
    CHECK(of_this == 200);
  }
  done = true;
  writer.join();
}
