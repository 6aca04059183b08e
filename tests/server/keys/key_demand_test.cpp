#include "server/keys/key_demand.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using deployd::server::KeyDemand;

namespace {

auto const start = KeyDemand::Clock::time_point(1h);
auto const never = KeyDemand::Clock::time_point::max();

/// What happens to a token with an unknown `kid`: `refused`, `waits`, or `fetch after N ms`.
std::string fate(KeyDemand& demand, std::string_view kid, KeyDemand::Clock::time_point now,
                 KeyDemand::Clock::time_point next_fetch = never) {
  auto const advice = demand.missed(kid, now, next_fetch);
  if (!advice.wait) return "refused";
  if (!advice.fetch_at) return "waits";
  return "fetch after " + std::to_string(std::chrono::round<std::chrono::milliseconds>(*advice.fetch_at - now).count());
}

}  // namespace

TEST_CASE("a fetch for an unknown kid begins at once, and all its tokens wait for it") {
  KeyDemand demand;
  CHECK(fate(demand, "b", start) == "fetch after 0");
  CHECK(fate(demand, "b", start) == "waits");
  CHECK(fate(demand, "c", start) == "waits");
  CHECK(demand.begin_fetch(start));
  CHECK(demand.end_fetch(start));
  CHECK(fate(demand, "b", start + 1ms) == "refused");
  CHECK(fate(demand, "c", start + 1ms) == "refused");
}

TEST_CASE("a fetch that began before a token came decides nothing about it") {
  KeyDemand demand;
  fate(demand, "b", start + 1s);
  CHECK_FALSE(demand.end_fetch(start));
  CHECK(fate(demand, "b", start + 2s) == "waits");
  CHECK(demand.end_fetch(start + 1s));
  CHECK(fate(demand, "b", start + 2s) == "refused");
}

TEST_CASE("unknown kids that are invented cause one fetch in ten seconds and do not wait") {
  KeyDemand demand;
  fate(demand, "0", start);
  demand.begin_fetch(start);
  demand.end_fetch(start);
  for (int i = 1; i < 1000; ++i) CHECK(fate(demand, std::to_string(i), start + i * 7ms) == "refused");
  CHECK(fate(demand, "0", start + 9999ms) == "refused");
  CHECK(fate(demand, "0", start + 10s) == "fetch after 0");
}

TEST_CASE("a kid that is always missing causes a fetch in ten seconds, and later one in a minute") {
  KeyDemand demand;
  auto now = start;
  for (auto const pause : {10s, 10s, 10s, 20s, 40s, 60s, 60s}) {
    CHECK(fate(demand, "x", now) == "fetch after 0");
    CHECK(demand.begin_fetch(now));
    CHECK(demand.end_fetch(now));
    CHECK(fate(demand, "x", now + pause - 1ms) == "refused");
    now += pause;
  }
  CHECK(fate(demand, "b", now - 1s) == "fetch after 0");
}

TEST_CASE("while a source fails, a missing kid causes a fetch every ten seconds") {
  KeyDemand demand;
  for (int i = 0; i < 10; ++i) {
    auto const now = start + i * 10s;
    CHECK(fate(demand, "x", now) == "fetch after 0");
    demand.begin_fetch(now);
    CHECK(demand.end_fetch(now, true));
  }
}

TEST_CASE("two seconds before the next fetch an unknown kid waits for it") {
  KeyDemand demand;
  fate(demand, "a", start);
  demand.begin_fetch(start);
  demand.end_fetch(start);
  CHECK(fate(demand, "b", start + 7999ms) == "refused");
  CHECK(fate(demand, "b", start + 8s) == "fetch after 2000");
  CHECK(fate(demand, "c", start + 9s) == "waits");
}

TEST_CASE("where all is fetched again soon, an unknown kid waits for that") {
  KeyDemand demand;
  fate(demand, "a", start);
  demand.begin_fetch(start);
  demand.end_fetch(start);
  CHECK(fate(demand, "b", start + 1s, start + 4s) == "refused");
  CHECK(fate(demand, "b", start + 1s, start + 2s) == "fetch after 9000");
  demand.set_kids({"b"}, true, start + 2s);
  CHECK_FALSE(demand.end_fetch(start + 2s));
  CHECK_FALSE(demand.begin_fetch(start + 10s));
}

TEST_CASE("after a rotation a new kid waits for the next fetch, until one has waited in vain") {
  KeyDemand demand;
  demand.set_kids({"a"}, false, start);
  fate(demand, "b", start);
  demand.begin_fetch(start);
  demand.set_kids({"b"}, true, start);
  CHECK_FALSE(demand.end_fetch(start));
  CHECK(fate(demand, "c", start + 1s) == "fetch after 9000");
  CHECK(demand.begin_fetch(start + 10s));
  demand.set_kids({"c"}, true, start + 10s);
  demand.end_fetch(start + 10s);
  CHECK(fate(demand, "d", start + 11s) == "fetch after 9000");
  CHECK(demand.begin_fetch(start + 20s));
  CHECK(demand.end_fetch(start + 20s));
  CHECK(fate(demand, "e", start + 21s) == "refused");
}

TEST_CASE("a kid that was withdrawn causes no fetch for a minute") {
  KeyDemand demand;
  demand.set_kids({"a"}, false, start);
  demand.set_kids({"b"}, true, start);
  CHECK(fate(demand, "a", start + 59s) == "refused");
  CHECK(fate(demand, "c", start + 59s) == "fetch after 0");
  CHECK(fate(demand, "a", start + 60s) == "waits");
}

TEST_CASE("a kid that is known already waits for the worker to receive its key") {
  KeyDemand demand;
  demand.set_kids({"a"}, true, start);
  CHECK(fate(demand, "a", start) == "waits");
}

TEST_CASE("at most 64 kids are waited for at a time") {
  KeyDemand demand;
  for (int i = 0; i < 64; ++i) CHECK(fate(demand, std::to_string(i), start) != "refused");
  CHECK(fate(demand, "64", start) == "refused");
  CHECK(fate(demand, "63", start) == "waits");
}
