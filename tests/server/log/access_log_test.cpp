#include "server/log/access_log.hpp"

#include <sys/socket.h>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <chrono>
#include <string>

#include "server/listen/listener.hpp"

using namespace deployd::server;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

AccessEntry entry() {
  return {.time = std::chrono::system_clock::time_point(784'111'777s + 45ms),
          .remote = "127.0.0.1:4711",
          .method = "GET",
          .target = "/api/v1/deployments?name=x",
          .status = 200,
          .subject = "jane",
          .reason = {},
          .duration = 1234567ns,
          .bytes_sent = 412,
          .user_agent = "curl/8.5.0",
          .request_id = "id-1",
          .trace = {}};
}

std::string line(AccessLog format, AccessEntry const& what) {
  std::string out;
  append_access_line(out, format, what);
  return out;
}

}  // namespace

TEST_CASE("a line of the access log says when, who, what and how it ended") {
  CHECK(line(AccessLog::text, entry()) ==
        "1994-11-06T08:49:37.045Z 127.0.0.1:4711 \"GET /api/v1/deployments?name=x\" 200 \"jane\" duration_ms=1.235 "
        "bytes_sent=412 user_agent=\"curl/8.5.0\" request_id=id-1\n");
  CHECK(line(AccessLog::json, entry()) ==
        R"({"time":"1994-11-06T08:49:37.045Z","remote":"127.0.0.1:4711","method":"GET",)"
        R"("target":"/api/v1/deployments?name=x","status":200,"subject":"jane","duration_ms":1.235,"bytes_sent":412,)"
        R"("user_agent":"curl/8.5.0","request_id":"id-1"})"
        "\n");
}

TEST_CASE("a line of the access log names the trace that the request is part of") {
  auto traced = entry();
  traced.trace = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"};
  CHECK(line(AccessLog::text, traced)
            .ends_with(" request_id=id-1 trace_id=0af7651916cd43dd8448eb211c80319c parent_id=b7ad6b7169203331\n"));
  auto const json = boost::json::parse(line(AccessLog::json, traced));
  CHECK(json.at("trace_id") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(json.at("parent_id") == "b7ad6b7169203331");
}

TEST_CASE("a line of the access log about a 401 says why the token was refused") {
  auto refused = entry();
  refused.status = 401;
  refused.reason = "expired";
  CHECK(line(AccessLog::text, refused).find("\" 401 \"jane\" reason=\"expired\" duration_ms=") != std::string::npos);
  CHECK(boost::json::parse(line(AccessLog::json, refused)).at("reason") == "expired");
}

TEST_CASE("a token that a client puts into its target or User-Agent does not get into the access log") {
  auto const format = GENERATE(AccessLog::text, AccessLog::json);
  std::string const secret = "0123456789abcdefghijABCDEFGHIJ0123456789-_x";
  auto const target = "/api/v1/deployments?token=dpd_" + secret;
  auto careless = entry();
  careless.target = target;
  auto const agent = "curl dpd_" + secret;
  careless.user_agent = agent;
  CHECK(line(format, careless).find(secret) == std::string::npos);
  CHECK(line(format, careless).find("curl dpd_[redacted]") != std::string::npos);
  CHECK(line(format, careless).find("?token=dpd_[redacted]") != std::string::npos);
}

TEST_CASE("no text of a client's gets a secret into the access log, whichever field it is in") {
  auto const format = GENERATE(AccessLog::text, AccessLog::json);
  std::string const token = "dpd%5F0123456789abcdefghijABCDEFGHIJ0123456789-_x";
  auto careless = entry();
  for (auto const member : {&AccessEntry::method, &AccessEntry::target, &AccessEntry::subject, &AccessEntry::user_agent,
                            &AccessEntry::request_id})
    careless.*member = token;
  CHECK(line(format, careless).find("0123456789abc") == std::string::npos);
}

TEST_CASE("lines are appended one behind the other") {
  std::string out = "first\n";
  append_access_line(out, AccessLog::text, entry());
  append_access_line(out, AccessLog::json, entry());
  CHECK(out.starts_with("first\n1994-"));
  CHECK(std::count(out.begin(), out.end(), '\n') == 3);
}

TEST_CASE("whatever a client sends, its entry is one line of UTF-8") {
  auto const hostile = GENERATE("a\nb"sv, "a\r\n127.0.0.1 \"GET / 200"sv, "\0\x01\x1b[31m"sv, "\xFF\xC3"sv, "\"} \\"sv,
                                "\xE2\x82\xAC"sv, "\u009b31m\u2028\x7f\u202e\u2066"sv);
  auto what = entry();
  what.target = hostile;
  what.subject = hostile;
  what.user_agent = hostile;
  auto const text = line(AccessLog::text, what);
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find_first_of("\x1b\x7f") == std::string::npos);
  for (auto const* const control : {"\u009b", "\u2028", "\u202e", "\u2066"})
    CHECK(text.find(control) == std::string::npos);
  auto const json = line(AccessLog::json, what);
  CHECK(json.find('\n') == json.size() - 1);
  auto const parsed = boost::json::parse(json);
  CHECK(parsed.at("status") == 200);
  CHECK(parsed.at("subject") == parsed.at("target"));
  CHECK(parsed.at("subject") == parsed.at("user_agent"));
}

TEST_CASE("a request that could not be read has an entry without method and target") {
  auto what = entry();
  what.method = what.target = what.subject = what.user_agent = {};
  what.request_id = "id-2";
  what.status = 400;
  CHECK(line(AccessLog::text, what) ==
        "1994-11-06T08:49:37.045Z 127.0.0.1:4711 \" \" 400 \"\" duration_ms=1.235 "
        "bytes_sent=412 user_agent=\"\" request_id=id-2\n");
  CHECK(boost::json::parse(line(AccessLog::json, what)).at("method") == "");
}

TEST_CASE("the peer of a Unix domain socket is called unix, and none is unknown") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  deployd::base::FileDescriptor const one(ends[0]);
  deployd::base::FileDescriptor const other(ends[1]);
  CHECK(remote_address(one.get()) == "unix");
  CHECK(remote_address(-1) == "unknown");
}
