#include "routing/api.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_token.hpp"
#include "auth/jwt/key_ring.hpp"
#include "auth/jwt/signer.hpp"
#include "storage/tokens/token_admin.hpp"
#include "tests/auth/stored_tokens.hpp"
#include "tests/decoded.hpp"
#include "tests/routing/answers.hpp"
#include "tests/routing/recorded_exchange.hpp"
#include "tests/storage/store_under_test.hpp"

using namespace deployd::routing;
using namespace std::chrono_literals;
namespace auth = deployd::auth;
namespace storage = deployd::storage;

namespace {

std::string const secret(32, 's');

std::string bearer(std::string_view subject) {
  auto const now = std::chrono::floor<std::chrono::seconds>(moment.now);
  auth::Claims const claims{.subject = std::string(subject), .issued_at = now, .expires = now + 1h};
  return "Bearer " + auth::sign_hs256(claims, secret);
}

/// A worker's API over a SQLite store of 30 deployments.
class Service {
 public:
  explicit Service(
      ApiOptions options = {.cors = CorsPolicy({"*"}), .cache_bytes = 1 << 20, .limiter = nullptr, .subjects = true})
      : filled_(fill(store_)),
        authenticator_(auth::KeyRing::load({.secret = secret}), store_.store()),
        api_(std::move(options), authenticator_, store_.store()) {}

  /// All that is sent in answer to `request`, by the warm path if that is open.
  std::string bytes(Request const& request) {
    Output out;
    warm_ = api_.answer_at_once(request, moment, out, false).status != 0;
    if (warm_) return bytes_of(out);
    RecordedExchange exchange;
    answer_cold(request, exchange);
    return exchange.bytes();
  }

  Answer ask(Request const& request) { return take_apart(bytes(request)); }

  void answer_cold(Request const& request, RecordedExchange& exchange) {
    auto answering = [](Api& api, Request const& asked, RecordedExchange& to) -> boost::asio::awaitable<int> {
      to.answered = co_await api.answer(asked, moment, to);
      co_return 0;
    };
    store_.ask(answering(api_, request, exchange));
  }

  bool was_warm() const noexcept { return warm_; }
  storage::StoreUnderTest& store() noexcept { return store_; }
  Api& api() noexcept { return api_; }

 private:
  static bool fill(storage::StoreUnderTest& store) {
    store.fill(30);
    return true;
  }

  storage::StoreUnderTest store_{storage::Kind::sqlite};
  bool filled_;
  auth::Authenticator authenticator_;
  Api api_;
  bool warm_ = false;
};

Request with_token(Request request) {
  static std::string const credentials = bearer("jane");
  request.authorization = field(credentials);
  return request;
}

Request with_method(Request request, Method method, std::string_view name) {
  request.method = method;
  request.method_name = name;
  return request;
}

Request post(std::string_view target) {
  return with_method(get(target), Method::other, "POST");
}

Request options(std::string_view target) {
  return with_method(get(target), Method::options, "OPTIONS");
}

/// The body without its chunks' framing; fails when that is wrong.
std::string unchunked(std::string_view body) {
  std::string whole;
  while (true) {
    auto const end = body.find("\r\n");
    REQUIRE(end != std::string_view::npos);
    auto const size = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
    body.remove_prefix(end + 2);
    whole += body.substr(0, size);
    REQUIRE(body.substr(size, 2) == "\r\n");
    body.remove_prefix(size + 2);
    if (size != 0) continue;
    CHECK(body.empty());
    return whole;
  }
}

std::string const unknown_route = "/api/v1/nothing";
std::string const bad_query = "/api/v1/deployments?foo=1";
std::string const unknown_record = "/api/v1/deployments/7";

}  // namespace

TEST_CASE("OPTIONS is answered before a token is asked for, under /api/ and on every route") {
  Service service;
  for (auto const* const target :
       {"/api/v1/deployments", "/api/v1/deployments/1", "/api/v1/nothing", "/api/", "/healthz",
        "/api/v1/deployments?foo=1", "/api/%zz", "*", "http://host/api/v1/deployments"}) {
    CAPTURE(target);
    auto const got = service.ask(options(target));
    CHECK(got.status() == 204);
    CHECK(got["Allow"] == "GET, HEAD, OPTIONS");
  }
  CHECK(service.ask(options("/elsewhere")).status() == 404);
}

TEST_CASE("without a good token everything under /api/ is a 401, whatever else is wrong with it") {
  Service service;
  auto const target = GENERATE(std::string("/api/v1/deployments"), std::string("/api/v1/deployments/1"), unknown_route,
                               bad_query, unknown_record, std::string("/api/"), std::string("/api/v1/deployments/%zz"));
  CAPTURE(target);
  CHECK(service.ask(get(target))["WWW-Authenticate"] == "Bearer");
  CHECK(service.ask(post(target)).status() == 401);
  auto const bad = "Bearer " + std::string(43, 'x');
  auto request = get(target);
  request.authorization = field(bad);
  auto const got = service.ask(request);
  CHECK(got.status() == 401);
  CHECK(got["WWW-Authenticate"] == "Bearer error=\"invalid_token\"");
  CHECK(got.body == error_body(not_authenticated(true)));
}

TEST_CASE("two fields Authorization are no token, good as each may be, warm or cold") {
  Service service;
  auto request = with_token(get());
  CHECK(service.ask(request).status() == 200);
  request.authorization.count = 2;
  CHECK(service.ask(request).status() == 401);
  CHECK_FALSE(service.was_warm());
}

TEST_CASE("a token that was verified a moment ago is not asked for again, on the long way either") {
  Service service({.cors = CorsPolicy({"*"}), .cache_bytes = 0, .limiter = nullptr});
  auto const token = auth::make_api_token();
  storage::add_token(service.store().options.url, {}, "ci", auth::hash_of(token), std::nullopt);
  auto request = get();
  auto const credentials = "Bearer " + token;
  request.authorization = field(credentials);
  CHECK(service.ask(request).status() == 200);
  service.store().write("DELETE FROM api_tokens");
  CHECK(service.ask(request).status() == 200);
}

TEST_CASE("a token over its limit is a 429 before its request is looked at, warm or cold") {
  Service service({.cors = CorsPolicy({"*"}), .cache_bytes = 1 << 20, .limiter = std::make_shared<RateLimiter>(0.001)});
  CHECK(service.ask(with_token(get())).status() == 200);
  for (auto const& request :
       {get(), get(unknown_route), post("/api/v1/deployments"), get(bad_query), get(unknown_record)}) {
    CAPTURE(request.target);
    auto const got = service.ask(with_token(request));
    CHECK(got.status() == 429);
    CHECK(std::stoi(got["Retry-After"]) >= 999);
  }
  CHECK(service.ask(with_token(get())).status() == 429);
  CHECK(service.was_warm());
  CHECK(service.ask(options("/api/v1/deployments")).status() == 204);
  CHECK(service.ask(get()).status() == 401);
  CHECK(service.ask(get("/healthz")).status() == 200);
  auto other = get();
  auto const credentials = bearer("joe");
  other.authorization = field(credentials);
  CHECK(service.ask(other).status() == 200);
}

TEST_CASE("with a good token the first thing wrong decides: the path, the method, the query, the data") {
  Service service;
  struct Row {
    std::string_view what;
    Request request;
    unsigned status;
    std::string_view message;
  };
  for (auto const& row : std::vector<Row>{
           {"path", post("/api/v1/nothing?foo=1"), 404, "Path /api/v1/nothing not found"},
           {"path decoded", get("/api/%C3%A4%22"), 404, "Path /api/\xC3\xA4\" not found"},
           {"path not UTF-8", get("/api/%FF"), 404, "Path /api/\xEF\xBF\xBD not found"},
           {"method", post("/api/v1/deployments?foo=1"), 501, "Not implemented"},
           {"method of one", post("/api/v1/deployments/7?foo=1"), 501, "Not implemented"},
           {"method of a bad id", post("/api/v1/deployments/%zz"), 501, "Not implemented"},
           {"query of the list", get("/api/v1/deployments?pattern=NONE&foo=1"), 400,
            "Query parameter 'foo' is unknown"},
           {"query of one", get("/api/v1/deployments/7?name=x"), 400, "Query parameter 'name' is unknown"},
           {"query of a bad id", get("/api/v1/deployments/x?name=x"), 400, "Query parameter 'name' is unknown"},
           {"escape in the id", get("/api/v1/deployments/%zz"), 400,
            "Path parameter 'id' has a bad percent escape or is not UTF-8"},
           {"pattern", get("/api/v1/deployments?pattern=a+%22b%22"), 404,
            "A pattern with the name 'a \"b\"' does not exist!"},
           {"pattern, no limit", get("/api/v1/deployments?pattern=NONE&$limit=0"), 404,
            "A pattern with the name 'NONE' does not exist!"},
           {"pattern beside others", get("/api/v1/deployments?pattern=alpha&pattern_id=1"), 404,
            "A pattern with the name 'alpha' does not exist!"},
           {"id", get("/api/v1/deployments/7"), 404, "No record found for id '7'"},
           {"id of no number", get("/api/v1/deployments/a%2Fb"), 404, "No record found for id 'a/b'"},
           {"id with a zero", get("/api/v1/deployments/010"), 404, "No record found for id '010'"},
           {"id of 65 bits", get("/api/v1/deployments/9223372036854775808"), 404,
            "No record found for id '9223372036854775808'"},
       }) {
    CAPTURE(row.what);
    auto const got = service.ask(with_token(row.request));
    CHECK(got.status() == row.status);
    CHECK(boost::json::parse(got.body).at("message").as_string() == row.message);
  }
}

TEST_CASE("outside /api/ no token is asked for") {
  Service service;
  CHECK(service.ask(get("/healthz")).body == R"({"status":"ok"})");
  CHECK(service.ask(get("/readyz")).body == R"({"status":"ready"})");
  CHECK(service.ask(head("/healthz")).body.empty());
  CHECK(service.ask(post("/healthz")).status() == 501);
  CHECK(service.ask(get("/healthz?x=1")).status() == 200);
  auto const got = service.ask(get("/a%20b?c=d"));
  CHECK(got.status() == 404);
  CHECK(boost::json::parse(got.body).at("message").as_string() == "Path /a b not found");
}

TEST_CASE("a target that is none is a 400") {
  Service service;
  auto const target = GENERATE("*", "host:80", "/api/#x", "ftp://x/");
  CAPTURE(target);
  CHECK(service.ask(with_token(get(target))).status() == 400);
}

TEST_CASE("the list has every filter, in order of id, with the next page while there is more") {
  Service service;
  struct Row {
    std::string_view query;
    std::string_view body;
    std::string_view link = "(none)";
  };
  auto const row = GENERATE(
      Row{"?pattern=ALPHA&$limit=2", R"([{"id":10,"pattern_id":1,"name":"d1"},{"id":30,"pattern_id":1,"name":"d0"}])",
          R"(</api/v1/deployments?pattern=ALPHA&$limit=2&id%5B$gt%5D=30>; rel="next")"},
      Row{"?pattern_id=2&$limit=1&$skip=1", R"([{"id":40,"pattern_id":2,"name":"d1"}])",
          R"(</api/v1/deployments?pattern_id=2&$limit=1&id%5B$gt%5D=40>; rel="next")"},
      Row{"?id[$gt]=290", R"([{"id":300,"pattern_id":2,"name":"d0"}])"},
      Row{"?id[$gt]=290&$limit=1", R"([{"id":300,"pattern_id":2,"name":"d0"}])"},
      Row{"?name=d1&pattern=ALPHA&id[$gt]=200", R"([{"id":250,"pattern_id":1,"name":"d1"}])"},
      Row{"?pattern=EMPTY", "[]"}, Row{"?pattern_id=99", "[]"}, Row{"?name=none", "[]"}, Row{"?name=D1", "[]"},
      Row{"?pattern=ALPHA&pattern_id=2", "[]"}, Row{"?$limit=0", "[]"}, Row{"?$skip=30", "[]"},
      Row{"/?pattern_id=3", "[]"}, Row{"?$skip=9223372036854775807&$limit=9223372036854775807", "[]"});
  auto const target = "/api/v1/deployments" + std::string(row.query);
  CAPTURE(target);
  auto const got = service.ask(with_token(get(target)));
  CHECK(got.status() == 200);
  CHECK(got.body == row.body);
  CHECK(got["Link"] == row.link);
  CHECK(got["ETag"] == make_etag(row.body));
}

TEST_CASE("the warm answer has the bytes of the cold one, for GET, HEAD and a 304") {
  Service service;
  auto const target = GENERATE("/api/v1/deployments", "/api/v1/deployments/10", "/api/v1/deployments?$limit=3",
                               "http://host/api/v1/deployments/10");
  auto request = GENERATE(get(), head());
  request.target = target;
  request = with_token(request);
  auto const etag = service.ask(request)["ETag"];
  CHECK(service.ask(request).status() == 200);
  CHECK(service.was_warm());
  auto const kind = GENERATE(0, 1, 2, 3);
  if (kind == 1) request.if_none_match = field(etag);
  if (kind == 2) request.keep_alive = false;
  if (kind == 3) request.http_1_1 = false;
  CAPTURE(target, kind);
  RecordedExchange cold;
  service.answer_cold(request, cold);
  auto const warm = service.bytes(request);
  CHECK(service.was_warm());
  CHECK(warm == cold.bytes());
  CHECK(take_apart(warm).status() == (kind == 1 ? 304U : 200U));
  CHECK(cold.answered.status == take_apart(warm).status());
  CHECK(cold.answered.subject == "jane");
}

TEST_CASE("each form of a list is found in the cache as it was rendered, and only it") {
  Service service;
  auto request = with_token(get());
  std::set<std::string> etags;
  for (int round = 0; round < 2; ++round) {
    for (auto const format : {Format::json, Format::ndjson, Format::csv}) {
      for (auto const coding : all_codings) {
        request.wanted = {{.format = format, .coding = coding}};
        CAPTURE(round, static_cast<int>(format), to_string(coding));
        auto const got = service.ask(request);
        // Of thirty deployments the JSON is long enough to gain, and the CSV is not.
        bool const coded = coding != Coding::identity && format != Format::csv;
        CHECK(service.was_warm() == (round == 1 || (coding != Coding::identity && !coded)));
        CHECK((got["Content-Encoding"] != "(none)") == coded);
        auto const text = deployd::tests::decoded(got.body, got["Content-Encoding"]);
        CHECK(text.starts_with(format == Format::json ? "[{" : format == Format::ndjson ? "{" : "id,"));
        etags.insert(got["ETag"]);
      }
    }
  }
  CHECK(etags.size() == 9);
}

TEST_CASE("a body too short to gain is kept once for every coding, and compressed for who refuses identity") {
  Service service;
  auto request = with_token(get("/api/v1/deployments/10"));
  auto const plain = service.ask(request);
  request.wanted.coding = GENERATE(Coding::zstd, Coding::br, Coding::gzip);
  auto const same = service.ask(request);
  CHECK(service.was_warm());
  CHECK(same.fields == plain.fields);
  request.wanted.identity_refused = true;
  for (int round = 0; round < 2; ++round) {
    auto const forced = service.ask(request);
    CHECK_FALSE(service.was_warm());
    CHECK(forced["Content-Encoding"] == to_string(request.wanted.coding));
    CHECK(deployd::tests::decoded(forced.body, forced["Content-Encoding"]) == plain.body);
  }
  request.wanted.identity_refused = false;
  CHECK(service.ask(request).fields == plain.fields);
}

TEST_CASE("requests for the same list at the same time compress it once") {
  Service service;
  service.store().write(
      "WITH RECURSIVE n(i) AS (VALUES (1000) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO deployments (id, pattern_id, name) SELECT i, 1, 'deployment number ' || i FROM n");
  auto request = with_token(get());
  request.wanted.coding = GENERATE(Coding::zstd, Coding::br, Coding::gzip);
  std::vector<RecordedExchange> exchanges(8);
  auto asking = [](Service& at, Request const& asked,
                   std::vector<RecordedExchange>& to) -> boost::asio::awaitable<int> {
    auto const worker = co_await boost::asio::this_coro::executor;
    std::size_t answered = 0;
    auto one = [](Api& api, Request const& of, RecordedExchange& into,
                  std::size_t& count) -> boost::asio::awaitable<void> {
      into.answered = co_await api.answer(of, moment, into);
      ++count;
    };
    for (auto& exchange : to)
      boost::asio::co_spawn(worker, one(at.api(), asked, exchange, answered), boost::asio::detached);
    while (answered < to.size()) co_await boost::asio::post(worker, boost::asio::use_awaitable);
    co_return 0;
  };
  service.store().ask(asking(service, request, exchanges));
  auto const first = take_apart(exchanges[0].bytes());
  CHECK(first["Content-Encoding"] == to_string(request.wanted.coding));
  CHECK(first["Content-Length"] != "(none)");
  for (auto const& exchange : exchanges) CHECK(exchange.bytes() == exchanges[0].bytes());
  CHECK(service.api().cache_metrics().hits.value() == exchanges.size() - 1);
  CHECK(service.api().cache_metrics().entries.value() == 1);
}

TEST_CASE("what a request is logged and counted as is its status, route, subject and refusal") {
  Service service(
      {.cors = CorsPolicy({"*"}), .cache_bytes = 0, .limiter = std::make_shared<RateLimiter>(8), .subjects = true});
  struct Row {
    std::string_view what;
    Request request;
    unsigned status;
    std::string_view route;
    std::string_view subject = {};
    std::optional<auth::Refusal> refusal = {};
  };
  std::string_view const list = "/api/v1/deployments";
  std::string_view const record = "/api/v1/deployments/{id}";
  auto twice = with_token(get());
  twice.authorization.count = 2;
  auto bad = get("/api/v1/deployments/10");
  bad.authorization = field("Bearer x");
  for (auto const& row : std::vector<Row>{
           {"list", with_token(get()), 200, list, "jane"},
           {"record", with_token(get("/api/v1/deployments/10")), 200, record, "jane"},
           {"no record", with_token(get("/api/v1/deployments/7")), 404, record, "jane"},
           {"no pattern", with_token(get("/api/v1/deployments?pattern=NONE")), 404, list, "jane"},
           {"bad query", with_token(get(bad_query)), 400, list, "jane"},
           {"method", with_token(post("/api/v1/deployments")), 501, list, "jane"},
           {"path", with_token(get(unknown_route)), 404, "other", "jane"},
           {"options", options("/api/v1/deployments"), 204, list},
           {"no token", get(), 401, list, {}, auth::Refusal::no_credentials},
           {"bad token", bad, 401, record, {}, auth::Refusal::malformed},
           {"two tokens", twice, 401, list, {}, auth::Refusal::malformed},
           {"no target", get("*"), 400, "other"},
           {"health", get("/healthz"), 200, "/healthz"},
           {"at the limit", with_token(get()), 200, list, "jane"},
           {"over the limit", with_token(get()), 429, list, "jane"},
       }) {
    CAPTURE(row.what);
    RecordedExchange exchange;
    service.answer_cold(row.request, exchange);
    auto const& answered = exchange.answered;
    CHECK(take_apart(exchange.bytes()).status() == row.status);
    CHECK(answered.status == row.status);
    CHECK(to_string(answered.route) == row.route);
    CHECK(answered.subject == row.subject);
    CHECK(answered.refusal == row.refusal);
  }
}

TEST_CASE("what another session has committed is in the very next answer") {
  Service service;
  auto const list = with_token(get("/api/v1/deployments?pattern=EMPTY"));
  auto const record = with_token(get("/api/v1/deployments/5"));
  CHECK(service.ask(list).body == "[]");
  CHECK(service.ask(record).status() == 404);
  for (int i = 0; i < 20; ++i) {
    auto const name = "n" + std::to_string(i);
    service.store().write(i == 0 ? "INSERT INTO deployments (id, pattern_id, name) VALUES (5, 3, '" + name + "')"
                                 : "UPDATE deployments SET name = '" + name + "' WHERE id = 5");
    auto const want = R"({"id":5,"pattern_id":3,"name":")" + name + R"("})";
    CHECK(service.ask(list).body == "[" + want + "]");
    CHECK_FALSE(service.was_warm());
    CHECK(service.ask(record).body == want);
    CHECK(service.ask(list).body == "[" + want + "]");
    CHECK(service.was_warm());
  }
  service.store().write("DELETE FROM deployments WHERE id = 5");
  CHECK(service.ask(record).status() == 404);
  CHECK(service.ask(list).body == "[]");
}

TEST_CASE("without a cache every answer comes from the store") {
  Service service({.cors = CorsPolicy({"*"}), .cache_bytes = 0, .limiter = nullptr});
  auto const first = service.bytes(with_token(get()));
  CHECK(service.bytes(with_token(get())) == first);
  CHECK_FALSE(service.was_warm());
}

TEST_CASE("a refusal is never kept") {
  Service service;
  for (auto const& target : {unknown_record, bad_query, unknown_route}) {
    CAPTURE(target);
    service.ask(with_token(get(target)));
    service.ask(with_token(get(target)));
    CHECK_FALSE(service.was_warm());
  }
}

TEST_CASE("an answer is appended behind those that wait already") {
  Service service;
  RecordedExchange exchange;
  exchange.output().bytes = "earlier";
  service.answer_cold(with_token(get("/api/v1/deployments/10")), exchange);
  CHECK(exchange.bytes().starts_with("earlierHTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a long list is streamed, chunked or up to the end of the connection, with the same rows") {
  Service service;
  service.store().write(
      "INSERT INTO deployments (id, pattern_id, name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 40000) SELECT 1000 + i, 3, 'deployment ' || i FROM n");
  auto request = with_token(get("/api/v1/deployments?pattern=EMPTY"));
  RecordedExchange chunked;
  service.answer_cold(request, chunked);
  CHECK(chunked.flushes() > 10);
  CHECK(chunked.answered.status == 200);
  CHECK_FALSE(chunked.aborted());
  CHECK_FALSE(chunked.closing());
  auto const answer = take_apart(chunked.bytes());
  CHECK(answer["Transfer-Encoding"] == "chunked");
  CHECK_FALSE(answer.has("ETag"));
  CHECK_FALSE(answer.has("Content-Length"));
  auto const body = unchunked(answer.body);
  auto const parsed = boost::json::parse(body);
  auto const& rows = parsed.as_array();
  REQUIRE(rows.size() == 40'000);
  CHECK(rows.front().at("id") == 1001);
  CHECK(rows.back().at("id") == 41'000);

  request.http_1_1 = false;
  RecordedExchange delimited;
  service.answer_cold(request, delimited);
  CHECK(delimited.closing());
  CHECK(take_apart(delimited.bytes()).body == body);

  RecordedExchange bare;
  service.answer_cold(with_token(head("/api/v1/deployments?pattern=EMPTY")), bare);
  CHECK(take_apart(bare.bytes()).fields == answer.fields);
  CHECK(take_apart(bare.bytes()).body.empty());

  request = with_token(get("/api/v1/deployments?pattern=EMPTY"));
  request.if_match = field("\"any\"");
  RecordedExchange unmatched;  // a stream has no ETag
  service.answer_cold(request, unmatched);
  CHECK(take_apart(unmatched.bytes()).status() == 412);

  RecordedExchange gone;
  gone.flushes_left = 3;
  service.answer_cold(with_token(get("/api/v1/deployments?pattern=EMPTY")), gone);
  CHECK(gone.flushes() == 3);
  CHECK(service.ask(with_token(get("/api/v1/deployments/10"))).status() == 200);
}

TEST_CASE("patterns are listed and found by id") {
  Service service;
  struct Case {
    std::string target;
    unsigned status;
    std::string body;
  };
  auto const asked = GENERATE(values<Case>({
      {"", 200, R"([{"id":1,"name":"ALPHA"},{"id":2,"name":"BETA"},{"id":3,"name":"EMPTY"}])"},
      {"/", 200, R"([{"id":1,"name":"ALPHA"},{"id":2,"name":"BETA"},{"id":3,"name":"EMPTY"}])"},
      {"?name=BETA", 200, R"([{"id":2,"name":"BETA"}])"},
      {"?name=beta", 200, "[]"},
      {"?id[$gt]=2", 200, R"([{"id":3,"name":"EMPTY"}])"},
      {"?$skip=1&$limit=1", 200, R"([{"id":2,"name":"BETA"}])"},
      {"?$limit=0", 200, "[]"},
      {"/3", 200, R"({"id":3,"name":"EMPTY"})"},
      {"/4", 404, ""},
      {"/03", 404, ""},
      {"/-9223372036854775808", 404, ""},
      {"/3?name=EMPTY", 400, ""},
      {"?pattern=ALPHA", 400, ""},
      {"?pattern_id=1", 400, ""},
  }));
  CAPTURE(asked.target);
  auto const got = service.ask(with_token(get("/api/v1/patterns" + asked.target)));
  CHECK(got.status() == asked.status);
  if (asked.status == 200) CHECK(got.body == asked.body);
  CHECK(service.ask(get("/api/v1/patterns" + asked.target)).status() == 401);
  auto const page = service.ask(with_token(get("/api/v1/patterns?$limit=2")));
  CHECK(page["Link"] == "</api/v1/patterns?$limit=2&id%5B$gt%5D=2>; rel=\"next\"");
}

TEST_CASE("pages followed by their links are the list") {
  Service service;
  std::string target = "/api/v1/deployments?$limit=7&pattern=BETA";
  boost::json::array pages;
  int count = 0;
  for (std::string next = target; !next.empty(); ++count) {
    auto const got = service.ask(with_token(get(next)));
    REQUIRE(got.status() == 200);
    auto const page = boost::json::parse(got.body);
    for (auto const& row : page.as_array()) pages.push_back(row);
    auto const link = got["Link"];
    next = got.has("Link") ? link.substr(1, link.find('>') - 1) : "";
  }
  CHECK(count == 3);
  CHECK(pages == boost::json::parse(service.ask(with_token(get("/api/v1/deployments?pattern=BETA"))).body));
}

TEST_CASE("once draining, the server is healthy and not ready") {
  Service service;
  service.api().begin_drain();
  CHECK(service.ask(get("/healthz")).status() == 200);
  auto const got = service.ask(get("/readyz"));
  CHECK(got.status() == 503);
  CHECK(got.has("Retry-After"));
  CHECK(service.ask(with_token(get())).status() == 200);
}

TEST_CASE("however often /readyz is asked for, the store is asked ten times a second at most") {
  Service service;
  auto const start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) REQUIRE(service.ask(get("/readyz")).status() == 200);
  auto const tenths = (std::chrono::steady_clock::now() - start) / 100ms;
  auto const counts =
      service.store().store().metrics().durations[static_cast<std::size_t>(storage::QueryKind::ping)].read().counts;
  CHECK(std::accumulate(counts.begin(), counts.end(), 0L) <= 1 + tenths);
}

TEST_CASE("what could not be read is answered with an error and the end of the connection") {
  Service service;
  for (auto const method : {Method::get, Method::head}) {
    Output out;
    service.api().answer_bad_framing({431, "The request header is too large"}, method, moment, out);
    auto const got = take_apart(out);
    CHECK(got.status() == 431);
    CHECK(got["Connection"] == "close");
    CHECK(got.body.empty() == (method == Method::head));
  }
}

TEST_CASE("a failure inside is a 500 that tells nothing of it, under an id that the log has too") {
  deployd::tests::StoredTokens store;  // throws an unexpected exception for any query but that of a token
  auth::Authenticator authenticator(auth::KeyRing::load({.secret = secret}), store);
  Api api({.cors = CorsPolicy({"*"}), .cache_bytes = 0, .limiter = nullptr}, authenticator, store);
  std::ostringstream log;
  auto const logger = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log)));

  RecordedExchange exchange;
  auto answering = [](Api& asked, RecordedExchange& to) -> boost::asio::awaitable<void> {
    Request const request = with_token(get("/api/v1/deployments/1"));
    to.answered = co_await asked.answer(request, moment, to);
  };
  boost::asio::io_context loop;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, answering(api, exchange), [&](std::exception_ptr failure) { thrown = failure; });
  loop.run();
  spdlog::set_default_logger(logger);

  CHECK_FALSE(thrown);
  auto const got = take_apart(exchange.bytes());
  CHECK(got.status() == 500);
  CHECK(got.body ==
        R"({"name":"GeneralError","message":"Internal server error","code":500,"className":"general-error"})");
  CHECK(got["X-Request-Id"] == exchange.request_id({}));
  CHECK(log.str().find("a request is answered 500: not a question") != std::string::npos);
}
