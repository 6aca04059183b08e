// deployd-bench from the outside: the real program against servers that are right, wrong, slow and gone.
#include <signal.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/scripted_server.hpp"
#include "tests/process.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

Command command(std::vector<std::string> arguments) {
  Command made;
  made.arguments = std::move(arguments);
  made.arguments.insert(made.arguments.begin(), DEPLOYD_BENCH_PROGRAM);
  return made;
}

Outcome bench(std::vector<std::string> arguments) {
  return run(command(std::move(arguments)));
}

struct Measured {
  Outcome outcome;
  boost::json::value json;

  std::int64_t number(char const* name) const { return json.at(name).to_number<std::int64_t>(); }
  std::int64_t errors(char const* kind) const {
    auto const* const count = json.at("errors").as_object().if_contains(kind);
    return count == nullptr ? 0 : count->to_number<std::int64_t>();
  }
  double latency(char const* name) const { return json.at("latency_us").at(name).to_number<double>(); }
  double service(char const* name) const { return json.at("service_us").at(name).to_number<double>(); }
};

// Runs the program with --json; without warm-up and on four connections unless told otherwise.
Measured measure(std::vector<std::string> arguments) {
  TemporaryDirectory const directory;
  auto const file = directory.path() / "results.json";
  std::vector<std::string> all{"--json", file};
  auto const default_to = [&](char const* option, char const* value) {
    if (std::find(arguments.begin(), arguments.end(), option) == arguments.end())
      all.insert(all.end(), {option, value});
  };
  default_to("--warmup", "0s");
  default_to("--connections", "4");
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto outcome = bench(all);
  INFO(outcome.err);
  auto const text = read_file(file);
  return {outcome, text.empty() ? boost::json::value() : boost::json::parse(text)};
}

ScriptedServer::Script always(Scripted scripted) {
  return [scripted](std::string const&, std::uint64_t) { return scripted; };
}

std::string target_of(std::string const& head) {
  auto const from = head.find(' ') + 1;
  return head.substr(from, head.find(' ', from) - from);
}

}  // namespace

TEST_CASE("exactly as many requests as asked for are sent and counted, and every answer is right") {
  ScriptedServer const server(always({answer("[]")}));
  auto const got = measure({server.url(), "--requests", "500"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 500);
  CHECK(got.errors("total") == 0);
  CHECK(server.requests().size() == 500);
  CHECK(server.connections() == 5);  // four, and the one that tried whether anybody answers
}

TEST_CASE("the requests of the warm-up are sent and not counted") {
  ScriptedServer const server(always({answer("[]")}));
  auto const got = measure({server.url(), "--requests", "50", "--warmup", "100ms"});
  CHECK(got.number("requests") == 50);
  CHECK(server.requests().size() > 50);
}

TEST_CASE("a duration ends the run") {
  ScriptedServer const server(always({answer("[]")}));
  auto const got = measure({server.url(), "--duration", "300ms"});
  CHECK(got.outcome.status == 0);
  CHECK(got.json.at("duration_s").to_number<double>() == 0.3);
  CHECK(static_cast<std::size_t>(got.number("requests")) == server.requests().size());
}

TEST_CASE("a request is what the options say") {
  TemporaryDirectory const directory;
  auto const token = directory.write("token",
                                     "\xEF\xBB\xBF"
                                     "abc.def\n");
  ScriptedServer const server(always({answer("[]")}));
  auto const got = bench({server.url("/a?b=%20"), "--requests", "1", "--warmup", "0s", "--token-file", token,
                          "--header", "X-One: 1", "--header", "X-Two:  2 2"});
  REQUIRE(got.status == 0);
  auto const host = server.url("").substr(7);
  CHECK(server.requests().at(0) == "GET /a?b=%20 HTTP/1.1\r\nHost: " + host +
                                       "\r\nX-One: 1\r\nX-Two: 2 2\r\nAuthorization: Bearer abc.def\r\n\r\n");
}

TEST_CASE("a range in the URL is shared by all connections and threads") {
  ScriptedServer const server(always({answer("[]")}));
  REQUIRE(
      bench({server.url("/{1..100}"), "--requests", "100", "--warmup", "0s", "--connections", "7", "--threads", "2"})
          .status == 0);
  std::set<std::string> targets;
  for (auto const& head : server.requests()) targets.insert(target_of(head));
  CHECK(targets.size() == 100);
}

TEST_CASE("a wrong status is a wrong answer that the last line names") {
  ScriptedServer const server(always({answer("{}", "401 Unauthorized")}));
  auto const got = measure({server.url(), "--requests", "20"});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 0);
  CHECK(got.errors("401") == 20);
  CHECK(got.errors("total") == 20);
  CHECK(got.json.at("rate_rps").to_number<double>() == 0.0);
  CHECK(got.outcome.err.ends_with("401; give a token with --token or --token-file\n"));
}

TEST_CASE("a 401 to a request with credentials is no lack of a token") {
  ScriptedServer const server(always({answer("{}", "401 Unauthorized")}));
  auto const [option, value] = GENERATE(std::pair("--token", "a"), std::pair("--header", "authorization: Basic YTpi"));
  auto const got = measure({server.url(), "--requests", "20", option, value});
  CHECK(got.outcome.status == 1);
  CHECK(got.outcome.err.ends_with("401\n"));
}

TEST_CASE("another status may be expected") {
  ScriptedServer const server(always({answer("{}", "404 Not Found")}));
  CHECK(bench({server.url(), "--requests", "20", "--warmup", "0s", "--expect-status", "404"}).status == 0);
}

TEST_CASE("an unexpected body is a wrong answer") {
  TemporaryDirectory const directory;
  auto const expected = directory.write("expected", R"({"id":1})");
  ScriptedServer const server([](auto const&, std::uint64_t number) {
    return Scripted{answer(number % 10 == 3 ? R"({"id":2})" : number % 10 == 4 ? R"({"id":1} )" : R"({"id":1})")};
  });
  auto const got = measure({server.url(), "--requests", "100", "--expect-body", expected});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 80);
  CHECK(got.errors("body") == 20);
}

TEST_CASE("a JSON body that does not parse is a wrong answer") {
  auto const body = GENERATE("", "{", "[1,]", "{\"a\":1}}", "[1] 2", "\"\xFF\"", "nul");
  ScriptedServer const server([&](auto const&, std::uint64_t number) {
    return Scripted{answer(number == 5 ? body : R"([{"id":1}])", "200 OK", "application/json; charset=utf-8")};
  });
  auto const got = measure({server.url(), "--requests", "20"});
  CAPTURE(body);
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 19);
  CHECK(got.errors("json") == 1);
}

TEST_CASE("a body that does not claim to be JSON may be anything") {
  ScriptedServer const server(always({answer("{", "200 OK", "text/plain")}));
  CHECK(bench({server.url(), "--requests", "20", "--warmup", "0s"}).status == 0);
}

TEST_CASE("a chunked answer is put together and checked") {
  TemporaryDirectory const directory;
  auto const expected = directory.write("expected", R"([{"id":1},{"id":2}])");
  auto const good = GENERATE(true, false);
  std::string const text =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "9\r\n[{\"id\":1}\r\n1\r\n,\r\n" +
      std::string(good ? "9\r\n{\"id\":2}]\r\n0\r\n\r\n" : "8\r\n{\"id\":2}\r\n0\r\n\r\n");
  ScriptedServer const server(always({text}));
  auto const got = measure({server.url(), "--requests", "30", "--pipeline", "3"});
  CHECK(got.number("requests") == (good ? 30 : 0));
  CHECK(got.errors("json") == (good ? 0 : 30));
  CHECK(measure({server.url(), "--requests", "30", "--expect-body", expected}).number("requests") == (good ? 30 : 0));
}

TEST_CASE("an answer of many megabytes is checked on the way") {
  std::string body = "[0";
  while (body.size() < (std::size_t{12} << 20)) body += R"(,{"id":12345,"name":"abcdefghijklmnopqrstuvwxyz"})";
  auto const ending = GENERATE("]", "");
  body += ending;
  bool const right = ending == std::string("]");
  TemporaryDirectory const directory;
  auto const expected = directory.write("expected", body);
  ScriptedServer const server(always({answer(body)}));
  auto const got = measure({server.url(), "--requests", "3", "--connections", "1", "--expect-body", expected});
  CHECK(got.number("requests") == (right ? 3 : 0));
  CHECK(got.errors("json") == (right ? 0 : 3));
  auto const other = directory.write("other", body + " ");
  CHECK(measure({server.url(), "--requests", "2", "--expect-body", other}).errors("body") == 2);
}

TEST_CASE("a body that is ended by closing is whole") {
  ScriptedServer const server(always({"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[1,2,3]", true}));
  auto const got = measure({server.url(), "--requests", "20"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 20);
}

TEST_CASE("after Connection: close a new connection goes on, without errors") {
  auto const pipeline = GENERATE("1", "4");
  ScriptedServer const server(always({answer("[]", "200 OK", "application/json", "Connection: close\r\n"), true}));
  auto const got = measure({server.url(), "--requests", "40", "--pipeline", pipeline});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 40);
  CHECK(server.connections() >= 41);
}

TEST_CASE("with --new-connections each request has a connection of its own, also where the server would keep it") {
  bool const closes = GENERATE(true, false);
  ScriptedServer const server([&](std::string const&, std::uint64_t) {
    return Scripted{answer("[]", "200 OK", "application/json", closes ? "Connection: close\r\n" : ""), closes};
  });
  auto const got = measure({server.url(), "--requests", "40", "--new-connections"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 40);
  CHECK(server.connections() == 41);  // and the one that tried whether anybody answers
  CHECK(server.requests().at(0).find("\r\nConnection: close\r\n") != std::string::npos);
}

TEST_CASE("a run that could not begin leaves no file of results behind") {
  TemporaryDirectory const directory;
  auto const file = directory.path() / "results.json";
  CHECK(bench({"http://127.0.0.1:1/", "--json", file}).status == 69);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("a connection closed in place of an answer is an error and no latency") {
  auto const [reset, kind] = GENERATE(std::pair(false, "closed"), std::pair(true, "reset"));
  ScriptedServer const server([reset = reset](auto const&, std::uint64_t number) {
    return number % 10 == 9 ? Scripted{"", !reset, reset} : Scripted{answer("[]")};
  });
  auto const got = measure({server.url(), "--requests", "100"});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 90);
  CHECK(got.errors(kind) == 10);
  CHECK(got.outcome.err.find(kind) != std::string::npos);
}

TEST_CASE("an answer cut short is an error") {
  auto const cut = GENERATE("HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ScriptedServer const server(always({cut, true}));
  auto const got = measure({server.url(), "--requests", "3", "--connections", "1"});
  CHECK(got.outcome.status == 1);
  CHECK(got.errors("closed") == 3);
}

TEST_CASE("what is not HTTP is an error") {
  ScriptedServer const server(always({"SSH-2.0-OpenSSH\r\n"}));
  auto const got = measure({server.url(), "--requests", "3", "--connections", "1"});
  CHECK(got.outcome.status == 1);
  CHECK(got.errors("malformed") == 3);
}

TEST_CASE("an answer that does not come in time is an error") {
  ScriptedServer const server(
      [](auto const&, std::uint64_t number) { return Scripted{number == 3 ? "" : answer("[]")}; });
  auto const got = measure({server.url(), "--requests", "20", "--timeout", "150ms"});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 19);
  CHECK(got.errors("timeout") == 1);
}

TEST_CASE("interim answers are passed over") {
  ScriptedServer const server(always({"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("[]")}));
  CHECK(measure({server.url(), "--requests", "20"}).number("requests") == 20);
}

TEST_CASE("pipelined requests go out together and each gets its own answer") {
  ScriptedServer const server(
      [](std::string const& head, std::uint64_t) { return Scripted{answer(target_of(head) == "/1" ? "[1]" : "[2]")}; });
  auto const got = measure({server.url("/{1..2}"), "--requests", "400", "--pipeline", "16"});
  CHECK(got.number("requests") == 400);
  CHECK(server.requests().size() == 400);
  CHECK(server.deepest() == 16);
}

TEST_CASE("an open loop keeps its rate") {
  ScriptedServer const server(always({answer("[]")}));
  auto const got = measure({server.url(), "--rate", "1000", "--duration", "500ms", "--warmup", "100ms"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 500);
  CHECK(got.number("skipped") == 0);
  CHECK(server.requests().size() > 500);  // the warm-up's too, but for what this machine was late for
  CHECK(server.requests().size() <= 600);
}

TEST_CASE("a request that had to wait for a free connection is late, and its latency runs from when it was due") {
  ScriptedServer const server([](auto const&, std::uint64_t number) {
    return Scripted{answer("[]"), false, false, number == 0 ? 300ms : 0ms};
  });
  auto const got = measure({server.url(), "--rate", "100", "--requests", "40", "--connections", "1"});
  CHECK(got.number("requests") == 40);
  CHECK(got.number("late") >= 29);
  CHECK(got.number("skipped") == 0);
  CHECK(got.latency("p50") > 100'000);
  CHECK(got.service("p50") < 100'000);
  CHECK(got.service("max") > 299'000);
}

TEST_CASE("what was due and never sent is skipped") {
  ScriptedServer const server([](auto const&, std::uint64_t number) {
    return Scripted{answer("[]"), false, false, number == 0 ? 600ms : 0ms};
  });
  auto const got = measure({server.url(), "--rate", "100", "--duration", "400ms", "--connections", "1"});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") == 1);
  CHECK(got.number("skipped") == 39);
  CHECK(got.outcome.out.starts_with("39 of 40 requests could not be sent in time: "));
  CHECK(got.outcome.err.find("39 of 40 requests could not be sent in time: ") != std::string::npos);
}

TEST_CASE("an open loop that the server cannot keep up with is measured from the end of the warm-up on") {
  ScriptedServer const server(always({answer("[]"), false, false, 10ms}));
  auto const got =
      measure({server.url(), "--rate", "1000", "--duration", "500ms", "--warmup", "500ms", "--connections", "2"});
  CHECK(got.outcome.status == 1);
  CHECK(got.number("requests") >= 5);
  CHECK(got.number("requests") + got.number("skipped") == 500);
  CHECK(got.number("late") >= got.number("requests") - 2);
  CHECK(got.latency("max") < 1e6);  // of the warm-up nothing waits any more
  CHECK(got.outcome.out.find(" could not be sent in time: ") < got.outcome.out.find('\n'));
}

TEST_CASE("a request that waits for a connection at the very end is still sent") {
  // One connection is busy half of the time, also at the end.
  ScriptedServer const server(always({answer("[]"), false, false, 5ms}));
  auto const got = measure({server.url(), "--rate", "100", "--duration", "3s", "--connections", "1"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 300);
  CHECK(got.number("skipped") == 0);
}

TEST_CASE("a run whose connections all wait for the warm-up's answers says that it has measured nothing") {
  ScriptedServer const server(always({answer("[]"), false, false, 700ms}));
  auto const got = measure({server.url(), "--duration", "200ms", "--warmup", "100ms", "--connections", "1"});
  CHECK(got.outcome.status == 1);
  CHECK(got.outcome.out.starts_with("Nothing was measured: "));
  CHECK(got.outcome.err.find("nothing was measured: ") != std::string::npos);
  CHECK(got.json.at("latency_us").at("p50").is_null());
  CHECK(got.json.at("rate_rps").to_number<double>() == 0.0);
}

TEST_CASE("an idle connection that the server closes is opened anew without an error") {
  ScriptedServer const server(always({answer("[]"), true}));
  auto const got = measure({server.url(), "--rate", "10", "--requests", "5"});
  CHECK(got.outcome.status == 0);
  CHECK(got.number("requests") == 5);
}

TEST_CASE("the JSON has the names of the contract and no other") {
  ScriptedServer const server(always({answer("[]")}));
  auto const got = measure({server.url(), "--requests", "20"});
  auto const names = [](boost::json::value const& value) {
    std::set<std::string> all;
    for (auto const& [name, unused] : value.as_object()) all.insert(name);
    return all;
  };
  CHECK(names(got.json) == std::set<std::string>{"requests", "errors", "rate_rps", "duration_s", "latency_us",
                                                 "service_us", "late", "skipped", "generator_cpu"});
  std::set<std::string> const distribution{"min", "mean", "p50", "p90", "p99", "p99_9", "max"};
  CHECK(names(got.json.at("latency_us")) == distribution);
  CHECK(names(got.json.at("service_us")) == distribution);
  CHECK(names(got.json.at("errors")) == std::set<std::string>{"total"});
  auto const cpu = got.json.at("generator_cpu").to_number<double>();
  CHECK((cpu >= 0 && cpu <= 1.01));
}

TEST_CASE("a run that is slower than an earlier one exits with 3, one that is not with 0") {
  TemporaryDirectory const directory;
  ScriptedServer const server(always({answer("[]")}));
  auto const earlier = [&](std::string const& rate, std::string const& p99) {
    return directory.write("earlier.json", R"({"rate_rps":)" + rate + R"(,"latency_us":{"p50":1,"p99":)" + p99 + "}}");
  };
  std::vector<std::string> const arguments{server.url(), "--requests", "50", "--warmup", "0s", "--compare"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return bench(more).status;
  };
  CHECK(with({earlier("1e9", "1e9")}) == 3);
  CHECK(with({earlier("1e9", "1e9"), "--tolerance", "100%"}) == 0);
  CHECK(with({earlier("0.5", "1e9")}) == 0);
  // The 99th percentile counts in a closed loop too, the median only in an open one.
  CHECK(with({earlier("0.5", "1")}) == 3);
  CHECK(with({earlier("0.5", "1e5"), "--tolerance", "1000000%"}) == 0);
  CHECK(with({earlier("0.5", "1e9"), "--rate", "1000"}) == 3);
}

TEST_CASE("there is no comparison with a run that has measured nothing") {
  TemporaryDirectory const directory;
  auto const earlier = directory.write("earlier.json", R"({"rate_rps":0.0,"latency_us":{"p50":null,"p99":null}})");
  auto const got = bench({"http://127.0.0.1:1/", "--compare", earlier});
  CHECK(got.status == 64);
  CHECK(got.err.find("without a right answer") != std::string::npos);
}

TEST_CASE("the options that users of other generators know by a letter") {
  ScriptedServer const server(always({answer("[]")}));
  auto const counted = bench({server.url(), "-n", "60", "-c2", "-t", "2", "--warmup", "0s"});
  CHECK(counted.status == 0);
  CHECK(counted.out.find("60 right answers") != std::string::npos);
  CHECK(counted.out.find("2 connections, 2 threads") != std::string::npos);
  auto const timed = measure({server.url(), "-d", "300ms", "-R", "100"});
  CHECK(timed.outcome.status == 0);
  CHECK(timed.number("requests") == 30);
}

TEST_CASE("credentials are not on the page") {
  auto const arguments =
      GENERATE(std::vector<std::string>{"--token", "s3cr3t"}, std::vector<std::string>{"--token=s3cr3t"},
               std::vector<std::string>{"--header", "Authorization: Bearer s3cr3t"},
               std::vector<std::string>{"--header=authorization:s3cr3t"},
               std::vector<std::string>{"--header", "Cookie: s3cr3t"});
  TemporaryDirectory const directory;
  auto const file = directory.path() / "page.html";
  ScriptedServer const server(always({answer("[]")}));
  auto all = arguments;
  all.insert(all.begin(), {server.url(), "--requests", "5", "--warmup", "0s", "--html", file});
  auto const got = bench(all);
  CHECK(got.status == 0);
  CHECK(got.out.find("s3cr3t") == std::string::npos);
  CHECK(read_file(file).find("s3cr3t") == std::string::npos);
}

TEST_CASE("a token file may begin with a byte order mark, and must not be empty") {
  TemporaryDirectory const directory;
  ScriptedServer const server(always({answer("[]")}));
  auto const with = [&](char const* content) {
    return bench(
        {server.url(), "--requests", "1", "--warmup", "0s", "--token-file", directory.write("token", content)});
  };
  CHECK(with("\xEF\xBB\xBF"
             "abc\r\n")
            .status == 0);
  CHECK(server.requests().at(0).find("\r\nAuthorization: Bearer abc\r\n") != std::string::npos);
  for (auto const* const content : {"", "\n", "\r\n", "\xEF\xBB\xBF"}) {
    auto const got = with(content);
    CHECK(got.status == 64);
    CHECK(got.err.find("--token-file: ") != std::string::npos);
    CHECK(got.err.find("is empty") != std::string::npos);
  }
}

TEST_CASE("wrong answers outweigh a comparison") {
  TemporaryDirectory const directory;
  auto const earlier = directory.write("earlier.json", R"({"rate_rps":1e9,"latency_us":{"p50":1,"p99":2}})");
  ScriptedServer const server(always({answer("[]", "500 Oops")}));
  CHECK(bench({server.url(), "--requests", "5", "--warmup", "0s", "--compare", earlier}).status == 1);
}

TEST_CASE("an address where nobody answers exits with 69 and one line that names it") {
  auto const got = bench({"http://127.0.0.1:1/"});
  CHECK(got.status == 69);
  CHECK(got.err.find("127.0.0.1:1") != std::string::npos);
  CHECK(std::count(got.err.begin(), got.err.end(), '\n') == 1);
  CHECK(got.out.empty());
}

TEST_CASE("a server that goes away ends a run of a number of requests") {
  TemporaryDirectory const directory;
  auto const file = directory.path() / "results.json";
  auto server = std::make_unique<ScriptedServer>(always({answer("[]")}));
  Process program(
      command({server->url(), "--requests", "1000000000", "--warmup", "0s", "--timeout", "200ms", "--json", file}));
  program.wait_for_line("requests: ");
  server.reset();
  auto const got = program.wait(20s);
  CHECK(got.status == 1);
  CHECK(got.out.find("the server is gone") != std::string::npos);
  CHECK(boost::json::parse(read_file(file)).at("requests").to_number<std::int64_t>() > 0);
}

TEST_CASE("SIGINT stops a run early and it still reports") {
  TemporaryDirectory const directory;
  auto const file = directory.path() / "results.json";
  ScriptedServer const server(always({answer("[]")}));
  // Nothing that was due before the signal is left unsent.
  auto const load = GENERATE(std::vector<std::string>{}, std::vector<std::string>{"--rate", "500"});
  std::vector<std::string> all{server.url(), "--duration", "1h", "--warmup", "0s", "--json", file};
  all.insert(all.end(), load.begin(), load.end());
  Process program(command(all));
  program.wait_for_line("right a second");
  program.signal(SIGINT);
  auto const got = program.wait(20s);
  CHECK(got.status == 0);
  CHECK(got.out.find("Stopped early") != std::string::npos);
  CHECK(boost::json::parse(read_file(file)).at("duration_s").to_number<double>() < 60);
}

TEST_CASE("bad usage exits with 64 and one line that names the option") {
  struct Case {
    std::vector<std::string> arguments;
    char const* named;
  };
  std::string const url = "http://127.0.0.1:1/";
  std::string const secure = "https://127.0.0.1:1/";
  auto const [arguments, named] = GENERATE_COPY(
      Case{{}, "URL"}, Case{{"ftp://x/"}, "URL"}, Case{{"http://x/{2..1}"}, "URL"}, Case{{url, "--bogus"}, "--bogus"},
      Case{{url, url}, "http"}, Case{{url, "--connections", "0"}, "--connections"},
      Case{{url, "--connections", "1x"}, "--connections"}, Case{{url, "--threads", "-1"}, "--threads"},
      Case{{url, "--duration", "10"}, "--duration"}, Case{{url, "--duration", "0s"}, "--duration"},
      Case{{url, "--duration", "1s", "--requests", "1"}, "--requests"}, Case{{url, "--requests", "0"}, "--requests"},
      Case{{url, "--warmup", "s"}, "--warmup"}, Case{{url, "--rate", "0"}, "--rate"},
      Case{{url, "--rate", "nan"}, "--rate"}, Case{{url, "--pipeline", "0"}, "--pipeline"},
      Case{{url, "--expect-status", "20"}, "--expect-status"},
      Case{{url, "--expect-body", "/nonexistent"}, "--expect-body"}, Case{{url, "--timeout", "0ms"}, "--timeout"},
      Case{{url, "--token-file", "/nonexistent"}, "--token-file"}, Case{{url, "--token", "a b"}, "--token"},
      Case{{url, "--token", ""}, "--token"}, Case{{url, "-c", "0"}, "--connections"},
      Case{{url, "--token", "a", "--token-file", "b"}, "--token"}, Case{{url, "--header", "novalue"}, "--header"},
      Case{{url, "--header", "a b: c"}, "--header"}, Case{{url, "--header", "a: b\r\nc: d"}, "--header"},
      Case{{url, "--json", "/nonexistent/x"}, "--json"}, Case{{url, "--html", "/nonexistent/x"}, "--html"},
      Case{{url, "--compare", "/nonexistent"}, "--compare"}, Case{{url, "--tolerance", "10%"}, "--tolerance"},
      Case{{url, "--overload-status", "x"}, "--overload-status"},
      Case{{url, "--overload-status", "200"}, "--overload-status"}, Case{{url, "--insecure"}, "--insecure"},
      Case{{url, "--resume"}, "--resume"}, Case{{url, "--ca", "x"}, "--ca"},
      Case{{secure, "--ca", "/nonexistent"}, "--ca"}, Case{{secure, "--ca", "/dev/null"}, "--ca"},
      Case{{secure, "--ca", "/dev/null", "--insecure"}, "--insecure"},
      Case{{url, "--new-connections", "--rate", "5"}, "--new-connections"},
      Case{{url, "--new-connections", "--pipeline", "2"}, "--new-connections"}, Case{{url, "--rate"}, "--rate"},
      Case{{url, "--rate", "1", "--rate", "2"}, "--rate"});
  auto const got = bench(arguments);
  CAPTURE(arguments, got.err);
  CHECK(got.status == 64);
  CHECK(got.err.find(named) != std::string::npos);
  CHECK(std::count(got.err.begin(), got.err.end(), '\n') == 1);
  CHECK(got.out.empty());
}

TEST_CASE("help and version go to standard output") {
  CHECK(bench({"--help"}).out.find("--expect-body") != std::string::npos);
  CHECK(bench({"--version"}).out.starts_with("deployd-bench "));
}
