// CONTRACT: Accept selects the format of lists, Accept-Encoding their coding, and each representation has its own ETag.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <csv.h>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/decoded.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

constexpr int rows = 40'000;

std::string name_of(int id) {
  if (id == 2)
    return R"(comma, "quotes" and a
line end)";
  if (id == 3) return "";
  if (id == 4)
    return "gr\xC3\xBC\xC3\x9F"
           "e \xE2\x82\xAC";
  return "deployment number " + std::to_string(id);
}

/// A pattern with few deployments, one with two hundred, and one with some megabytes of them.
std::string data() {
  boost::json::array deployments;
  for (int id = 1; id <= rows; ++id)
    deployments.push_back({{"id", id}, {"pattern_id", id <= 4 ? 1 : id <= 204 ? 2 : 3}, {"name", name_of(id)}});
  boost::json::array patterns{
      {{"id", 1}, {"name", "FEW"}}, {{"id", 2}, {"name", "MANY"}}, {{"id", 3}, {"name", "LARGE"}}};
  return boost::json::serialize(boost::json::value{{"patterns", patterns}, {"deployments", deployments}});
}

/// Ten megabytes that stay many when they are compressed.
std::string noise() {
  std::mt19937 random(1);
  boost::json::array deployments;
  for (int id = 1; id <= 40'000; ++id) {
    std::string name;
    while (name.size() < 280) name += static_cast<char>('0' + random() % 74);
    deployments.push_back({{"id", id}, {"pattern_id", 1}, {"name", name}});
  }
  boost::json::array patterns{{{"id", 1}, {"name", "NOISE"}}};
  return boost::json::serialize(boost::json::value{{"patterns", patterns}, {"deployments", deployments}});
}

struct Formats {
  explicit Formats(StoreKind kind) : store(kind, data()), line(bearer(store.create_token())), server(store.url()) {}
  FilledStore store;
  std::string line;
  RunningDeployd server;

  HttpAnswer ask(std::string_view method, std::string const& target, std::string const& lines = {}) const {
    return server.ask(request(method, target, line + lines));
  }
  HttpAnswer get(std::string const& target, std::string const& lines = {}) const { return ask("GET", target, lines); }
};

Formats& formats(StoreKind kind) {
  if (kind == StoreKind::sqlite) {
    static Formats sqlite(StoreKind::sqlite);
    return sqlite;
  }
  static Formats postgresql(StoreKind::postgresql);
  return postgresql;
}

StoreKind each_kind() {
  return GENERATE(StoreKind::sqlite, StoreKind::postgresql);
}

struct FormatRow {
  std::string accept;
  std::string content_type;
};

FormatRow const json{"application/json", "application/json; charset=utf-8"};
FormatRow const ndjson{"application/x-ndjson", "application/x-ndjson"};
FormatRow const csv{"text/csv", "text/csv; charset=utf-8; header=present"};

std::string const few = "/api/v1/deployments?pattern=FEW";
std::string const many = "/api/v1/deployments?pattern=MANY";
std::string const large = "/api/v1/deployments?pattern=LARGE";

std::string accept(FormatRow const& format, std::string_view coding = {}) {
  auto lines = "Accept: " + format.accept + "\r\n";
  if (!coding.empty()) lines += "Accept-Encoding: " + std::string(coding) + "\r\n";
  return lines;
}

std::vector<std::vector<std::string>> read_csv(std::string const& text) {
  std::vector<std::vector<std::string>> lines{{}};
  csv_parser parser;
  REQUIRE(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0);
  auto const field = [](void* bytes, std::size_t size, void* to) {
    static_cast<decltype(lines)*>(to)->back().emplace_back(static_cast<char const*>(bytes), size);
  };
  auto const line = [](int, void* to) { static_cast<decltype(lines)*>(to)->emplace_back(); };
  REQUIRE(csv_parse(&parser, text.data(), text.size(), field, line, &lines) == text.size());
  REQUIRE(csv_fini(&parser, field, line, &lines) == 0);
  csv_free(&parser);
  REQUIRE(lines.back().empty());
  lines.pop_back();
  return lines;
}

/// The list in a format as the JSON of the same list.
std::string as_json(std::string const& body, FormatRow const& format) {
  if (format.accept == json.accept) return body;
  boost::json::array list;
  if (format.accept == ndjson.accept) {
    CHECK((body.empty() || body.ends_with('\n')));
    for (std::size_t at = 0; at < body.size();) {
      auto const end = body.find('\n', at);
      list.push_back(boost::json::parse(std::string_view(body).substr(at, end - at)));
      at = end + 1;
    }
    return boost::json::serialize(list);
  }
  auto const lines = read_csv(body);
  REQUIRE(!lines.empty());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    boost::json::object record;
    for (std::size_t column = 0; column < lines[0].size(); ++column) {
      auto const& text = lines[i].at(column);
      if (lines[0][column] == "name")
        record["name"] = text;
      else
        record[lines[0][column]] = std::stoll(text);
    }
    list.push_back(record);
  }
  return boost::json::serialize(list);
}

}  // namespace

TEST_CASE("Accept selects the format of lists of deployments and of patterns", "[formats]") {
  auto const& one = formats(each_kind());
  CHECK(one.get(few, accept(csv)).body ==
        "id,pattern_id,name\r\n1,1,deployment number 1\r\n2,1,\"comma, \"\"quotes\"\" and a\nline end\"\r\n3,1,\"\"\r\n"
        "4,1,gr\xC3\xBC\xC3\x9F"
        "e \xE2\x82\xAC\r\n");
  CHECK(one.get(few, accept(ndjson)).body ==
        "{\"id\":1,\"pattern_id\":1,\"name\":\"deployment number 1\"}\n"
        "{\"id\":2,\"pattern_id\":1,\"name\":\"comma, \\\"quotes\\\" and a\\nline end\"}\n"
        "{\"id\":3,\"pattern_id\":1,\"name\":\"\"}\n"
        "{\"id\":4,\"pattern_id\":1,\"name\":\"gr\xC3\xBC\xC3\x9F"
        "e \xE2\x82\xAC\"}\n");
  CHECK(one.get("/api/v1/patterns", accept(csv)).body == "id,name\r\n1,FEW\r\n2,MANY\r\n3,LARGE\r\n");
  CHECK(one.get("/api/v1/patterns", accept(ndjson)).body ==
        "{\"id\":1,\"name\":\"FEW\"}\n{\"id\":2,\"name\":\"MANY\"}\n{\"id\":3,\"name\":\"LARGE\"}\n");
  CHECK(one.get("/api/v1/deployments?pattern_id=99", accept(csv)).body == "id,pattern_id,name\r\n");
  auto const nothing = one.get("/api/v1/deployments?pattern_id=99", accept(ndjson));
  CHECK(nothing.status == 200);
  CHECK(nothing["Content-Length"] == "0");
  for (auto const& format : {json, ndjson, csv}) {
    auto const page = one.get(many + "&$limit=3", accept(format));
    CHECK(page["Content-Type"] == format.content_type);
    CHECK(page["Vary"] == "Accept, Accept-Encoding");
    CHECK(page["Link"] == "</api/v1/deployments?pattern=MANY&$limit=3&id%5B$gt%5D=7>; rel=\"next\"");
  }
}

TEST_CASE("an Accept that cannot be met gets JSON, and so do records and errors", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  auto const plain = one.get(few);
  for (std::string const field :
       {"image/png", "*/*;q=0", "application/json;q=0", "text/csv;q=0", "text/csv;header=absent", "text/csv;q=2",
        "\"text/csv\"", "text/html, */*;q=0.8", "text"}) {
    CAPTURE(field);
    auto const got = one.get(few, "Accept: " + field + "\r\n");
    CHECK(got.status == 200);
    CHECK(got["Content-Type"] == json.content_type);
    CHECK(got.body == plain.body);
    CHECK(got["ETag"] == plain["ETag"]);
  }
  for (std::string const target : {"/api/v1/deployments/1", "/api/v1/patterns/1", "/api/v1/deployments?pattern=NO",
                                   "/api/v1/deployments/0", "/api/v1/deployments?x=1"}) {
    auto const got = one.get(target, accept(csv, "gzip"));
    CHECK(got["Content-Type"] == json.content_type);
    CHECK_FALSE(got.has("Content-Encoding"));
    CHECK_NOTHROW(boost::json::parse(got.body));
  }
}

TEST_CASE("each format in each coding is the same list, from the store, the cache and for HEAD", "[formats]") {
  auto const& one = formats(each_kind());
  auto const plain = one.get(many).body;
  std::set<std::string> etags;
  for (auto const& format : {json, ndjson, csv}) {
    for (std::string const coding : {"identity", "gzip", "br", "zstd"}) {
      CAPTURE(format.accept, coding);
      auto const lines = accept(format, coding);
      auto const got = one.get(many, lines);
      CHECK(got.status == 200);
      CHECK(got["Content-Type"] == format.content_type);
      CHECK(got["Content-Encoding"] == (coding == "identity" ? "(none)" : coding));
      CHECK(got["Content-Length"] == std::to_string(got.body.size()));
      CHECK(got["Vary"] == "Accept, Accept-Encoding");
      CHECK(as_json(decoded(got.body, coding), format) == plain);
      etags.insert(got["ETag"]);

      auto const again = one.get(many, lines);
      CHECK(again.body == got.body);
      CHECK(again["ETag"] == got["ETag"]);
      auto const bare = one.ask("HEAD", many, lines);
      for (auto const* const field : {"Content-Type", "Content-Encoding", "Content-Length", "Vary", "ETag"})
        CHECK(bare[field] == got[field]);

      auto const unchanged = one.get(many, lines + "If-None-Match: " + got["ETag"] + "\r\n");
      CHECK(unchanged.status == 304);
      CHECK(unchanged["Vary"] == "Accept, Accept-Encoding");
      CHECK(unchanged["ETag"] == got["ETag"]);
      CHECK_FALSE(unchanged.has("Content-Encoding"));
      CHECK(one.get(many, lines + "If-Match: " + got["ETag"] + "\r\n").status == 200);
    }
  }
  CHECK(etags.size() == 12);
  // The validator of another representation is not that of this one.
  auto const gzip_tag = one.get(many, accept(json, "gzip"))["ETag"];
  CHECK(one.get(many, accept(json, "br") + "If-None-Match: " + gzip_tag + "\r\n").status == 200);
  CHECK(one.get(many, accept(json) + "If-Match: " + gzip_tag + "\r\n").status == 412);
  CHECK(one.get(many, accept(csv, "gzip") + "If-Match: " + gzip_tag + "\r\n").status == 412);
}

TEST_CASE("each format in each coding is the same list when it is streamed", "[formats]") {
  auto const& one = formats(each_kind());
  auto const plain = one.get(large).body;
  REQUIRE(plain.size() > 2'000'000);
  for (auto const& format : {json, ndjson, csv}) {
    for (std::string const coding : {"identity", "gzip", "br", "zstd"}) {
      CAPTURE(format.accept, coding);
      auto connection = one.server.connect();
      auto const got = connection.ask(request("GET", large, one.line + accept(format, coding)));
      CHECK(got.chunked);
      CHECK(got["Content-Type"] == format.content_type);
      CHECK(got["Content-Encoding"] == (coding == "identity" ? "(none)" : coding));
      CHECK(got["Vary"] == "Accept, Accept-Encoding");
      CHECK_FALSE(got.has("ETag"));
      if (coding != "identity") CHECK(got.body.size() < plain.size() / 5);
      bool const same = as_json(decoded(got.body, coding), format) == plain;
      REQUIRE(same);
      auto const bare = connection.ask(request("HEAD", large, one.line + accept(format, coding)));
      CHECK(bare.chunked);
      for (auto const* const field : {"Content-Type", "Content-Encoding", "Vary"}) CHECK(bare[field] == got[field]);
      CHECK(connection.ask(request("GET", "/healthz")).status == 200);
    }
  }
}

TEST_CASE("HTTP/1.0 gets formats and codings too, kept and streamed", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  for (auto const& target : {many, large}) {
    auto const plain = one.get(target).body;
    for (std::string const coding : {"gzip", "br", "zstd"}) {
      CAPTURE(target, coding);
      auto connection = one.server.connect();
      connection.send("GET " + target + " HTTP/1.0\r\n" + one.line + accept(ndjson, coding) + "\r\n");
      auto const got = connection.read_answer();
      CHECK(got["Content-Encoding"] == coding);
      CHECK_FALSE(got.chunked);
      bool const same = as_json(decoded(got.body, coding), ndjson) == plain;
      CHECK(same);
    }
  }
}

TEST_CASE("a body too short to gain is sent as it is, with one ETag, unless identity is refused", "[formats]") {
  auto const& one = formats(each_kind());
  for (auto const& target : {few, std::string("/api/v1/deployments/1"), std::string("/api/v1/patterns")}) {
    CAPTURE(target);
    auto const plain = one.get(target);
    for (int round = 0; round < 2; ++round) {
      for (std::string const field : {"gzip", "br", "zstd", "gzip, br, zstd"}) {
        auto const got = one.get(target, "Accept-Encoding: " + field + "\r\n");
        CHECK_FALSE(got.has("Content-Encoding"));
        CHECK(got.body == plain.body);
        CHECK(got["ETag"] == plain["ETag"]);
        CHECK(got["Vary"] == "Accept, Accept-Encoding");
      }
      auto const forced = one.get(target, "Accept-Encoding: identity;q=0, gzip\r\n");
      CHECK(forced["Content-Encoding"] == "gzip");
      CHECK(decoded(forced.body, "gzip") == plain.body);
      CHECK(forced["ETag"] != plain["ETag"]);
    }
    CHECK(one.get(target, "Accept-Encoding: *;q=0\r\n").body == plain.body);
  }
}

TEST_CASE("Accept-Encoding decides by its quality values, and counts for nothing if malformed", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  struct Row {
    std::string field;
    std::string coding;
  };
  for (auto const& row : std::vector<Row>{{"gzip, deflate, br, zstd", "zstd"},
                                          {"gzip, deflate, br", "br"},
                                          {"gzip;q=1, zstd;q=0.9", "gzip"},
                                          {"GZIP", "gzip"},
                                          {"x-gzip", "gzip"},
                                          {"*", "zstd"},
                                          {"*;q=0", "(none)"},
                                          {"gzip;q=0", "(none)"},
                                          {"identity, gzip;q=0.5", "(none)"},
                                          {"deflate", "(none)"},
                                          {"", "(none)"},
                                          {"gzip;q=9", "(none)"},
                                          {"gzip,,;", "(none)"}}) {
    CAPTURE(row.field);
    auto const got = one.get(many, "Accept-Encoding: " + row.field + "\r\n");
    CHECK(got.status == 200);
    CHECK(got["Content-Encoding"] == row.coding);
  }
  CHECK(one.get(many, "Accept-Encoding: gzip\r\nAccept-Encoding: br;q=0.1\r\n")["Content-Encoding"] == "gzip");
  CHECK(one.get(many, "Accept: text/plain\r\nAccept: text/csv\r\n")["Content-Type"] == csv.content_type);
}

TEST_CASE("what is kept for one client is not sent to another that asks otherwise", "[formats]") {
  auto const& one = formats(each_kind());
  auto connection = one.server.connect();
  auto const ask = [&](std::string const& lines) { return connection.ask(request("GET", many, one.line + lines)); };
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(ask("").has("Content-Encoding"));
    CHECK(ask("Accept-Encoding: gzip\r\n")["Content-Encoding"] == "gzip");
    CHECK(ask("")["Content-Type"] == json.content_type);
    CHECK(ask("Accept: text/csv\r\n")["Content-Type"] == csv.content_type);
    CHECK(ask("Accept-Encoding: br\r\n")["Content-Encoding"] == "br");
    CHECK_FALSE(ask("Accept-Encoding: identity\r\n").has("Content-Encoding"));
  }
}

TEST_CASE("a compressed answer reflects every write before its request", "[formats]") {
  FilledStore const store(StoreKind::sqlite, data());
  RunningDeployd const server(store.url());
  auto const line = bearer(store.create_token()) + accept(csv, "br");
  auto const before = server.ask(request("GET", many, line));
  store.import(R"({"patterns":[],"deployments":[{"id":5,"pattern_id":2,"name":"changed, again"}]})");
  auto const after = server.ask(request("GET", many, line));
  CHECK(after["ETag"] != before["ETag"]);
  CHECK(decoded(after.body, "br").find("5,2,\"changed, again\"\r\n") != std::string::npos);
}

TEST_CASE("the page and the description of the API are compressed, and their validators differ", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  for (std::string const target : {"/", "/openapi.json"}) {
    auto const plain = one.server.ask(request("GET", target));
    std::set<std::string> etags{plain["ETag"]};
    CHECK(plain["Vary"] == "Accept-Encoding");
    for (std::string const coding : {"gzip", "br", "zstd"}) {
      CAPTURE(target, coding);
      auto const lines = "Accept-Encoding: " + coding + "\r\n";
      auto const got = one.server.ask(request("GET", target, lines));
      CHECK(got["Content-Encoding"] == coding);
      CHECK(got["Content-Type"] == plain["Content-Type"]);
      CHECK(got["Content-Security-Policy"] == plain["Content-Security-Policy"]);
      CHECK(got["Vary"] == "Accept-Encoding");
      CHECK(got.body.size() < plain.body.size() / 3);
      CHECK(decoded(got.body, coding) == plain.body);
      etags.insert(got["ETag"]);
      CHECK(one.server.ask(request("GET", target, lines + "If-None-Match: " + got["ETag"] + "\r\n")).status == 304);
    }
    CHECK(etags.size() == 4);
  }
}

TEST_CASE("Vary names Origin too where only some origins may read", "[formats]") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--cors-origin", "https://a.example"});
  auto const line = bearer(store.create_token());
  auto const got = server.ask(request("GET", "/api/v1/deployments", line));
  CHECK(got["Vary"] == "Origin, Accept, Accept-Encoding");
  auto const unchanged =
      server.ask(request("GET", "/api/v1/deployments", line + "If-None-Match: " + got["ETag"] + "\r\n"));
  CHECK(unchanged.status == 304);
  CHECK(unchanged["Vary"] == "Origin, Accept, Accept-Encoding");
  CHECK(server.ask(request("GET", "/api/v1/deployments"))["Vary"] == "Origin");
}

TEST_CASE("what a stream has sent can be decompressed before the rest is there", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  for (std::string const coding : {"gzip", "br", "zstd"}) {
    CAPTURE(coding);
    HttpConnection slow(one.server.port(), 4096);
    slow.send("GET " + large + " HTTP/1.0\r\n" + one.line + accept(ndjson, coding) + "\r\n");
    CHECK(slow.has_bytes_within(std::chrono::seconds(10)));
    auto const all = slow.read_to_end();
    auto const body = std::string_view(all).substr(all.find("\r\n\r\n") + 4);
    // Each piece of 64 KiB ends where it can be decompressed: a tenth of the body holds about a tenth of the text.
    auto const beginning = decoded_so_far(body.substr(0, body.size() / 10), coding);
    CHECK(beginning.size() > decoded(body, coding).size() / 20);
  }
}

TEST_CASE("a client that stops reading a compressed list is cut off, and others are served", "[formats]") {
  FilledStore const store(StoreKind::sqlite, noise());
  RunningDeployd server(store.url(), {"--write-timeout", "400ms", "--access-log", "text", "--workers", "1"});
  auto const line = bearer(store.create_token());
  for (std::string const coding : {"gzip", "br", "zstd"}) {
    CAPTURE(coding);
    HttpConnection stopped(server.port(), 4096);
    stopped.send(request("GET", "/api/v1/deployments", line + accept(json, coding)));
    stopped.skip(1000);
    CHECK(server.ask(request("GET", "/api/v1/patterns", line)).status == 200);
    server.process().wait_for_line("GET /api/v1/deployments");
    auto const rest = stopped.read_to_end();
    CHECK(rest.size() < 8'000'000);
    CHECK_FALSE(rest.ends_with("\r\n0\r\n\r\n"));
  }
}

TEST_CASE("curl decompresses what it is sent", "[formats]") {
  auto const& one = formats(StoreKind::sqlite);
  for (auto const& target : {few, many, large}) {
    auto const url = "http://127.0.0.1:" + std::to_string(one.server.port()) + target;
    auto const header = one.line.substr(0, one.line.size() - 2);
    Command curl;
    curl.arguments = {"/usr/bin/env", "curl", "-sS", "--compressed", "-H", header, url};
    auto const got = run(curl);
    CHECK(got.status == 0);
    bool const same = got.out == one.get(target).body;
    CHECK(same);
  }
}
