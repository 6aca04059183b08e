#include "server/log/access_log.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <string>

#include "server/log/access_log_file.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace deployd::server;

TEST_CASE("lines of the access log are written when they are long, without waiting for a flush") {
  deployd::storage::TemporaryDirectory const directory;
  auto const path = directory.file("access.log");
  open_access_log(path);
  std::string const target(8000, '"');
  AccessEntry entry{};
  entry.method = "GET";
  entry.target = target;
  entry.status = 404;
  std::string line;
  append_access_line(line, AccessLog::json, entry);
  AccessLogBuffer lines(AccessLog::json);
  std::size_t appended = 0;
  for (int number = 0; number < 100; ++number) {
    lines.append(entry);
    appended += line.size();
    REQUIRE(appended - std::filesystem::file_size(path) <= AccessLogBuffer::flush_size);
  }
  lines.flush();
  CHECK(std::filesystem::file_size(path) == appended);
}
