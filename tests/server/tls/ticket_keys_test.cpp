#include "server/tls/ticket_keys.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using deployd::server::TlsTicketKeys;
using namespace std::chrono_literals;

namespace {

TlsTicketKeys::Clock::time_point const start{1000h};

}  // namespace

TEST_CASE("tickets are made with the same key for an hour, then with another") {
  TlsTicketKeys keys;
  auto const first = keys.current(start);
  CHECK(keys.current(start + 59min).name == first.name);
  auto const second = keys.current(start + 60min);
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  CHECK(second.mac != first.mac);
}

TEST_CASE("a ticket is good for its lifetime, and a new one is due once its key is not the newest") {
  TlsTicketKeys keys;
  auto const key = keys.current(start);
  auto const last_use = start + TlsTicketKeys::renewal - 1s;
  auto const soon = keys.find(key.name, last_use);
  REQUIRE(soon);
  CHECK(soon->current);
  CHECK(soon->key.cipher == key.cipher);
  auto const later = keys.find(key.name, last_use + TlsTicketKeys::ticket_lifetime);
  REQUIRE(later);
  CHECK_FALSE(later->current);
  CHECK(later->key.mac == key.mac);
}

TEST_CASE("a key is forgotten when no ticket of it can be used any more, however long nobody came") {
  TlsTicketKeys keys;
  auto const key = keys.current(start);
  CHECK_FALSE(keys.find(key.name, start + TlsTicketKeys::renewal + TlsTicketKeys::ticket_lifetime));
  auto const other = keys.current(start + 24h);
  CHECK_FALSE(keys.find(key.name, start + 48h));
  CHECK_FALSE(keys.find(other.name, start + 48h));
}

TEST_CASE("a name that was never ours finds no key") {
  TlsTicketKeys keys;
  keys.current(start);
  CHECK_FALSE(keys.find(std::array<unsigned char, 16>{}, start));
}
