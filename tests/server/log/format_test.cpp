#include "server/log/format.hpp"

#include <spdlog/details/log_msg.h>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

#include "routing/log_fields.hpp"

using namespace deployd::server;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using deployd::routing::LogFields;
using deployd::routing::TraceContext;

namespace {

constexpr TraceContext trace{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"};

std::string line(LogFormat format, std::string_view message) {
  spdlog::details::log_msg const logged(std::chrono::system_clock::time_point(784'111'777s + 45ms), {}, "deployd",
                                        spdlog::level::warn, spdlog::string_view_t(message.data(), message.size()));
  spdlog::memory_buf_t out;
  make_log_formatter(format)->format(logged, out);
  return {out.data(), out.size()};
}

}  // namespace

TEST_CASE("a line of the log says when, how bad and what") {
  CHECK(line(LogFormat::text, "the store's \"file\" is gone") ==
        "1994-11-06T08:49:37.045Z warning the store's \"file\" is gone\n");
  CHECK(line(LogFormat::json, "gone: \"file\"") ==
        R"({"time":"1994-11-06T08:49:37.045Z","level":"warning","message":"gone: \"file\""})"
        "\n");
}

TEST_CASE("a line of the log about a request bears its id and its trace") {
  {
    LogFields const fields("id-1", trace);
    CHECK(line(LogFormat::text, "x") ==
          "1994-11-06T08:49:37.045Z warning x request_id=id-1 trace_id=0af7651916cd43dd8448eb211c80319c "
          "parent_id=b7ad6b7169203331\n");
    auto const json = boost::json::parse(line(LogFormat::json, "x"));
    CHECK(json.at("request_id") == "id-1");
    CHECK(json.at("trace_id") == "0af7651916cd43dd8448eb211c80319c");
    CHECK(json.at("parent_id") == "b7ad6b7169203331");
  }
  CHECK(line(LogFormat::text, "x") == "1994-11-06T08:49:37.045Z warning x\n");
}

TEST_CASE("a request that is part of no trace has none in the log") {
  LogFields const fields("id-1", {});
  CHECK(line(LogFormat::text, "x").ends_with(" x request_id=id-1\n"));
  CHECK(line(LogFormat::json, "x")
            .ends_with(R"("request_id":"id-1"})"
                       "\n"));
}

TEST_CASE("whatever is logged becomes one line of UTF-8") {
  auto const hostile = GENERATE("a\nb"sv, "a\r\n\x1b[31m"sv, "\0\x01\x7f"sv, "\xFF\xC3"sv, "\xE2\x82\xAC"sv);
  auto const text = line(LogFormat::text, hostile);
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find_first_of("\r\x1b\x7f"sv) == std::string::npos);
  CHECK(text.find('\0') == std::string::npos);
  auto const json = line(LogFormat::json, hostile);
  CHECK(json.find('\n') == json.size() - 1);
  CHECK(boost::json::parse(json).as_object().size() == 3);
}

TEST_CASE("what terminals and readers of lines act on beyond ASCII is escaped in the log, and other text is not") {
  auto const format = GENERATE(LogFormat::text, LogFormat::json);
  CHECK(line(format, "a\u009b31m\u0085b\u2028\u2029\x7f").find(R"(a\u009b31m\u0085b\u2028\u2029\u007f)") !=
        std::string::npos);
  CHECK(line(format, "\u061c\u200e\u200f\u202a\u202e\u2066\u2069x")
            .find(R"(\u061c\u200e\u200f\u202a\u202e\u2066\u2069x)") != std::string::npos);
  for (char32_t code = 0x2028; code <= 0x206a; ++code) {
    std::string const character{'\xe2', static_cast<char>(0x80 | (code >> 6 & 0x3f)),
                                static_cast<char>(0x80 | (code & 0x3f))};
    bool const acted_on = code <= 0x202e || (code >= 0x2066 && code <= 0x2069);
    CAPTURE(static_cast<unsigned>(code));
    CHECK((line(format, "x" + character).find(character) == std::string::npos) == acted_on);
  }
  auto const* const harmless =
      "\u00a0\u00c2\u061b\u061d\u200b\u200d\u2010\u2027\u202f\u2065\u206a\uff5e\U0001F600\U000E0041";
  CHECK(line(format, harmless).find(harmless) != std::string::npos);
}

TEST_CASE("no secret gets into the log, be it what a client calls its request") {
  auto const format = GENERATE(LogFormat::text, LogFormat::json);
  std::string const secret = "0123456789abcdefghijABCDEFGHIJ0123456789-_x";
  std::string const token = "dpd_" + secret;
  LogFields const fields(token, {});
  auto const written = line(format, "refused: " + token);
  CHECK(written.find(secret) == std::string::npos);
  CHECK(written.find("refused: dpd_[redacted]") != std::string::npos);
}
