#include <soci/soci.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "storage/error.hpp"
#include "storage/schema/migrations.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace deployd::storage;

namespace {

/// The failure that `call` ends in.
Error failure_of(std::function<void()> const& call) {
  try {
    call();
  } catch (Error const& error) {
    return error;
  }
  FAIL("nothing was refused");
  throw std::logic_error("unreachable");
}

void execute(std::string const& path, std::string const& statement) {
  *open_session(SqliteUrl{path}, Access::create) << statement;
}

void write_file(std::string const& path, std::string const& bytes) {
  std::ofstream(path) << bytes;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool is_one_line(std::string_view text) {
  return !contains(text, "\n");
}

}  // namespace

TEST_CASE("a new SQLite store gets the current schema, in WAL mode") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  auto const report = migrate(url, {});
  CHECK(report.from == 0);
  CHECK(report.to == current_schema_version());
  CHECK_NOTHROW(require_current_schema(url, {}));
  auto const session = open_session(url, Access::read);
  std::string mode;
  *session << "PRAGMA journal_mode", soci::into(mode);
  CHECK(mode == "wal");
}

TEST_CASE("a SQLite store that is made is its owner's only, with the files beside it, and one that is there is left") {
  auto const mode_of = [](std::string const& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
  };
  TemporaryDirectory const directory;
  auto const path = directory.file("new.db");
  auto const mask = ::umask(0);
  migrate(SqliteUrl{path}, {});
  {
    auto const session = open_session(SqliteUrl{path}, Access::write);
    *session << "INSERT INTO patterns (id, name) VALUES (1, 'A')";
    for (auto const* const suffix : {"", "-wal", "-shm"}) {
      CAPTURE(suffix);
      CHECK(mode_of(path + suffix) == 0600);
    }
  }
  std::filesystem::permissions(path, std::filesystem::perms(0664));
  migrate(SqliteUrl{path}, {});
  CHECK(mode_of(path) == 0664);

  // Through a link to a file that is not there yet, it is that file which is made.
  std::filesystem::create_symlink(directory.file("real.db"), directory.file("link.db"));
  migrate(SqliteUrl{directory.file("link.db")}, {});
  CHECK(mode_of(directory.file("real.db")) == 0600);
  ::umask(mask);
}

TEST_CASE("migrating a current SQLite store changes nothing") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  auto const report = migrate(url, {});
  CHECK(report.from == current_schema_version());
  CHECK(report.to == current_schema_version());
}

TEST_CASE("a SQLite path may hold any character") {
  TemporaryDirectory const directory;
  auto const name = GENERATE(as<std::string>(), "a b.db", " two  spaces ", "x=y.db", "\"quoted\".db", "per%20cent.db",
                             "what?mode=memory", "#hash.db", "grüße.db", "file:name", "a;b'c\\d", "readonly=1 x");
  SqliteUrl const url{directory.file(name)};
  migrate(url, {});
  CHECK(std::filesystem::exists(url.path));
  CHECK_NOTHROW(require_current_schema(url, {}));
}

TEST_CASE("a relative SQLite path is relative to the working directory") {
  TemporaryDirectory const directory;
  auto const before = std::filesystem::current_path();
  std::filesystem::current_path(directory.file(""));
  migrate(SqliteUrl{"file:relative.db"}, {});
  std::filesystem::current_path(before);
  CHECK(std::filesystem::exists(directory.file("file:relative.db")));
}

TEST_CASE("an older SQLite store is upgraded by the migrations it lacks") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  std::vector<Migration> next(migrations().begin(), migrations().end());
  next.push_back({current_schema_version() + 1, {"CREATE TABLE extra (id INTEGER PRIMARY KEY)"}, {}});
  auto const report = migrate(url, {}, next);
  CHECK(report.from == current_schema_version());
  CHECK(report.to == current_schema_version() + 1);

  SECTION("and is newer than this program then") {
    auto const error = failure_of([&] { require_current_schema(url, {}); });
    CHECK(error.code() == errc::newer_schema);
    CHECK(contains(error.what(), "this deployd is too old"));
    CHECK(failure_of([&] { migrate(url, {}); }).code() == errc::newer_schema);
  }
}

TEST_CASE("a migration that fails leaves the SQLite store as it was") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  std::vector<Migration> next(migrations().begin(), migrations().end());
  next.push_back({current_schema_version() + 1, {"CREATE TABLE extra (id INTEGER)", "CREATE NONSENSE"}, {}});
  CHECK_THROWS_AS(migrate(url, {}, next), Error);
  CHECK_NOTHROW(require_current_schema(url, {}));
  long long extra = 1;
  *open_session(url, Access::read) << "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'", soci::into(extra);
  CHECK(extra == 0);
}

TEST_CASE("a SQLite store that is missing is not created by those who only need it") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("none.db")};
  auto const error = failure_of([&] { require_current_schema(url, {}); });
  CHECK(error.code() == errc::missing);
  CHECK(contains(error.what(), url.path));
  CHECK(contains(error.what(), "deployd migrate"));
  CHECK_FALSE(std::filesystem::exists(url.path));
  CHECK(failure_of([&] { open_session(url, Access::write); }).code() == errc::missing);
  CHECK_FALSE(std::filesystem::exists(url.path));
}

TEST_CASE("an empty SQLite file is a store without a schema") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("empty.db")};
  write_file(url.path, "");
  auto const error = failure_of([&] { require_current_schema(url, {}); });
  CHECK(error.code() == errc::missing);
  CHECK(contains(error.what(), "deployd migrate"));
  CHECK_NOTHROW(migrate(url, {}));
  CHECK_NOTHROW(require_current_schema(url, {}));
}

TEST_CASE("what is no store of deployd is refused in one line that names it") {
  TemporaryDirectory const directory;
  SqliteUrl url{directory.file("x.db")};
  std::string expected;
  SECTION("text") {
    write_file(url.path, std::string(5000, 'x'));
    expected = "not a SQLite database";
  }
  SECTION("a short text") {
    write_file(url.path, "hello");
    expected = "not a SQLite database";
  }
  SECTION("another program's database") {
    execute(url.path, "CREATE TABLE invoices (id INTEGER)");
    expected = "belongs to another program";
  }
  SECTION("another program's empty database") {
    execute(url.path, "PRAGMA user_version = 7");
    expected = "belongs to another program";
  }
  SECTION("a directory") {
    std::filesystem::create_directory(url.path);
    expected = "is a directory";
  }
  SECTION("a pipe") {
    REQUIRE(::mkfifo(url.path.c_str(), 0600) == 0);
    expected = "not a regular file";
  }
  for (auto const& call :
       std::vector<std::function<void()>>{[&] { require_current_schema(url, {}); }, [&] { migrate(url, {}); }}) {
    auto const error = failure_of(call);
    CAPTURE(error.what());
    CHECK(error.code() == errc::corrupt);
    CHECK(contains(error.what(), url.path));
    CHECK(contains(error.what(), expected));
    CHECK(is_one_line(error.what()));
  }
}

TEST_CASE("migrating leaves another program's database as it is") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  execute(url.path, "CREATE TABLE invoices (id INTEGER)");
  std::ifstream before(url.path, std::ios::binary);
  std::string const bytes((std::istreambuf_iterator<char>(before)), {});
  CHECK_THROWS_AS(migrate(url, {}), Error);
  std::ifstream after(url.path, std::ios::binary);
  CHECK(bytes == std::string((std::istreambuf_iterator<char>(after)), {}));
}

TEST_CASE("a SQLite store in a directory that does not exist is refused") {
  TemporaryDirectory const directory;
  auto const error = failure_of([&] { migrate(SqliteUrl{directory.file("none/x.db")}, {}); });
  CHECK(error.code() == errc::missing);
  CHECK(contains(error.what(), "none does not exist"));
}

/// Runs `check` in a process that may not do everything, as root may, and gives back the line it returns.
std::string as_nobody(std::function<std::string()> const& check) {
  constexpr unsigned nobody = 65534;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  auto const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool const dropped = ::geteuid() != 0 || (::setgid(nobody) == 0 && ::setuid(nobody) == 0);
    auto const line = dropped ? check() : "root stayed root";
    ::_exit(::write(pipe[1], line.data(), line.size()) < 0);
  }
  ::close(pipe[1]);
  std::string line(1000, ' ');
  auto const size = ::read(pipe[0], line.data(), line.size());
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  line.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return line;
}

TEST_CASE("a SQLite file without permission is refused") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  std::filesystem::permissions(std::filesystem::path(url.path).parent_path(), std::filesystem::perms(0755));
  std::filesystem::permissions(url.path, std::filesystem::perms::none);
  auto const line = as_nobody([&url]() -> std::string {
    try {
      require_current_schema(url, {});
      return "nothing was refused";
    } catch (Error const& error) {
      return std::string(error.code() == errc::forbidden ? "forbidden: " : "wrong code: ") + error.what();
    }
  });
  CHECK(line == "forbidden: " + url.path + ": no permission to read it");
}

TEST_CASE("a SQLite store in whose directory no journal can be made is refused in words that say so") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  auto const parent = std::filesystem::path(url.path).parent_path();
  std::filesystem::permissions(url.path, std::filesystem::perms(0644));
  std::filesystem::permissions(parent, std::filesystem::perms(0555));
  auto const line = as_nobody([&url]() -> std::string {
    try {
      require_current_schema(url, {});
      return "nothing was refused";
    } catch (Error const& error) {
      return std::string(error.code() == errc::forbidden ? "forbidden: " : "wrong code: ") + error.what();
    }
  });
  std::filesystem::permissions(parent, std::filesystem::perms(0755));
  CHECK(line == "forbidden: " + url.path + ": the database, or the directory for its -wal and -shm files, cannot be " +
                    "written");
}

TEST_CASE("a SQLite store that another program keeps locked is busy") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  auto const writer = open_session(url, Access::write);
  *writer << "BEGIN IMMEDIATE";
  auto const second = open_session(url, Access::write, std::chrono::milliseconds(1));
  try {
    *second << "BEGIN IMMEDIATE";
    FAIL("two writers at once");
  } catch (soci::soci_error const& failure) {
    auto const error = translate(failure, url);
    CHECK(error.code() == errc::busy);
    CHECK(contains(error.what(), url.path));
    CHECK(contains(error.what(), "locked"));
  }
}

TEST_CASE("several migrations of one new SQLite store at once all succeed") {
  TemporaryDirectory const directory;
  for (int round = 0; round < 5; ++round) {
    SqliteUrl const url{directory.file(std::to_string(round) + ".db")};
    std::vector<std::string> failures(4);
    {
      std::vector<std::jthread> threads;
      for (auto& failure : failures)
        threads.emplace_back([&url, &failure] {
          try {
            migrate(url, {});
          } catch (std::exception const& error) {
            failure = error.what();
          }
        });
    }
    for (auto const& failure : failures) CHECK(failure == "");
    CHECK_NOTHROW(require_current_schema(url, {}));
  }
}

TEST_CASE("relations of somebody else are refused on SQLite") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  CHECK(failure_of([&] { migrate(url, {"a", "b"}); }).code() == errc::bad_database_url);
  CHECK_FALSE(std::filesystem::exists(url.path));
}

TEST_CASE("ids of API tokens are never reused on SQLite") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("x.db")};
  migrate(url, {});
  auto const session = open_session(url, Access::write);
  *session << "INSERT INTO api_tokens (name, hash, created) VALUES ('a', x'00', 0)";
  *session << "DELETE FROM api_tokens";
  *session << "INSERT INTO api_tokens (name, hash, created) VALUES ('b', x'01', 0)";
  long long id = 0;
  *session << "SELECT id FROM api_tokens", soci::into(id);
  CHECK(id == 2);
}
