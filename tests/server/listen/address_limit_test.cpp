#include "server/listen/address_limit.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace deployd::server;

namespace {

/// Asserts nothing, as Catch2 counts assertions of one thread only.
SocketAddress address(std::string const& text) {
  return boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address(text), 1);
}

}  // namespace

TEST_CASE("an address gets as many places as it may have, and one again when one has left") {
  AddressLimit limit(2);
  auto first = limit.enter(address("192.0.2.1"));
  auto second = limit.enter(address("192.0.2.1"));
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(limit.enter(address("192.0.2.1")));
  CHECK(limit.enter(address("192.0.2.2")));
  first.reset();
  CHECK(limit.enter(address("192.0.2.1")));
}

TEST_CASE("addresses of one /64 are one, and IPv4 is the same however it is written") {
  auto const key = [](char const* text) { return AddressLimit::key_of(address(text)); };
  CHECK(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
  CHECK(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
  CHECK(key("::ffff:192.0.2.1") == key("192.0.2.1"));
  CHECK(key("192.0.2.1") != key("192.0.2.2"));
  CHECK(key("::1") != key("127.0.0.1"));
}

TEST_CASE("a limit of nothing and Unix domain sockets are not counted") {
  AddressLimit none(0);
  std::vector<AddressLimit::Place> places;
  for (int i = 0; i < 10; ++i) places.push_back(std::move(none.enter(address("192.0.2.1")).value()));

  AddressLimit one(1);
  SocketAddress const local = boost::asio::local::stream_protocol::endpoint("x");
  auto const first = one.enter(local);
  CHECK(first);
  CHECK(one.enter(local));
}

TEST_CASE("places are free again when their connections have left, whichever threads came and went") {
  AddressLimit limit(4);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&limit] {
      for (int i = 0; i < 2000; ++i) {
        auto const place = limit.enter(address("10.0." + std::to_string(i % 50) + ".1"));
        auto const other = limit.enter(address("2001:db8::1"));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<AddressLimit::Place> places;
  for (int i = 0; i < 4; ++i) places.push_back(std::move(limit.enter(address("2001:db8::1")).value()));
  CHECK_FALSE(limit.enter(address("2001:db8::1")));
}
