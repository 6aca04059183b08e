#include "server/listen/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_vector.hpp>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "server/listen/resolve.hpp"
#include "tests/process.hpp"

using namespace deployd::server;
using Catch::Matchers::Message;

namespace {

/// The sockets of all workers; the listener keeps none.
std::vector<deployd::base::FileDescriptor> take_all(Listener& listener, unsigned workers) {
  std::vector<deployd::base::FileDescriptor> sockets;
  for (unsigned worker = 0; worker < workers; ++worker)
    for (auto& taken : listener.take(worker, workers)) sockets.push_back(std::move(taken.socket));
  listener.close();
  return sockets;
}

std::uint16_t port_of(Listener const& listener) {
  return static_cast<std::uint16_t>(std::stoul(listener.name().substr(listener.name().rfind(':') + 1)));
}

TcpAddress tcp(char const* address, std::uint16_t port) {
  return {boost::asio::ip::make_address(address), port};
}

TcpAddress loopback(std::uint16_t port = 0) {
  return tcp("127.0.0.1", port);
}

/// A connection to a listener's address; none when it is refused.
deployd::base::FileDescriptor connect_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  deployd::base::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return {};
  return socket;
}

deployd::base::FileDescriptor connect_to(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  deployd::base::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return {};
  return socket;
}

/// True if a connection waits on one of the sockets.
bool one_has_a_connection(std::vector<deployd::base::FileDescriptor> const& sockets) {
  std::vector<pollfd> waiting;
  for (auto const& socket : sockets) waiting.push_back({socket.get(), POLLIN, 0});
  return ::poll(waiting.data(), waiting.size(), 5000) > 0;
}

}  // namespace

TEST_CASE("an address is written as it is given") {
  CHECK(to_string(tcp("127.0.0.1", 8080)) == "127.0.0.1:8080");
  CHECK(to_string(tcp("::1", 8080)) == "[::1]:8080");
  CHECK(to_string(UnixAddress{"/run/deployd.sock"}) == "unix:/run/deployd.sock");
}

TEST_CASE("every worker gets a socket of its own on the port that was taken for port 0") {
  Listener listener(loopback(), 3, false);
  auto const sockets = take_all(listener, 3);
  CHECK(port_of(listener) != 0);
  for (auto const& socket : sockets) {
    REQUIRE(socket.get() >= 0);
    CHECK((::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  auto const client = connect_to(port_of(listener));
  CHECK(client.get() >= 0);
  CHECK(one_has_a_connection(sockets));
}

TEST_CASE("an address that another listener has is refused with one line that names it") {
  auto const earlier_shares = GENERATE(false, true);
  Listener earlier(loopback(), 1, earlier_shares);
  auto const sockets = take_all(earlier, 1);
  CHECK_THROWS_MATCHES(Listener(loopback(port_of(earlier)), 2, false), ListenError,
                       Message("cannot listen on " + earlier.name() + ": another process listens there"));
}

TEST_CASE("taking over listens beside the one that has the address, and alone once that is gone") {
  Listener earlier(loopback(), 2, false);
  auto old_sockets = take_all(earlier, 2);
  Listener later(loopback(port_of(earlier)), 2, true);
  auto const sockets = take_all(later, 2);
  CHECK(later.name() == earlier.name());
  old_sockets.clear();
  auto const client = connect_to(port_of(later));
  CHECK(client.get() >= 0);
  CHECK(one_has_a_connection(sockets));
}

TEST_CASE("an address is to be had again as soon as its listener is gone, with connections left over or not") {
  std::uint16_t port = 0;
  {
    Listener listener(loopback(), 1, false);
    auto const sockets = take_all(listener, 1);
    port = port_of(listener);
    auto client = connect_to(port);
    REQUIRE(one_has_a_connection(sockets));
    deployd::base::FileDescriptor const accepted(::accept(sockets.front().get(), nullptr, nullptr));
    CHECK(accepted.get() >= 0);
  }
  CHECK_NOTHROW(Listener(loopback(port), 1, false));
}

TEST_CASE("an address of another machine, or none, is refused with one line that names it") {
  CHECK_THROWS_MATCHES(Listener(tcp("192.0.2.1", 8080), 1, false), ListenError,
                       Message("cannot listen on 192.0.2.1:8080: Cannot assign requested address"));
}

TEST_CASE("the port that is taken for port 0 is the same on every endpoint of an address") {
  auto const listen = [](ListenAddress const& address) { return Listener(address, 1, false); };
  auto const listeners = listen_on_each({tcp("127.0.0.1", 0), tcp("127.0.0.2", 0)}, listen);
  REQUIRE(listeners.size() == 2);
  CHECK(listeners.front().port() != 0);
  CHECK(listeners.front().port() == listeners.back().port());
  CHECK(listeners.back().name() == "127.0.0.2:" + std::to_string(listeners.front().port()));
}

TEST_CASE("a host name stands for its addresses, and none for all addresses") {
  auto const names = [](HostAddress const& host) {
    std::vector<std::string> all;
    for (auto const& endpoint : resolve(host)) all.push_back(to_string(endpoint));
    return all;
  };
  CHECK_THAT(names({"localhost", 80}), Catch::Matchers::VectorContains(std::string("127.0.0.1:80")));
  CHECK_THAT(names({"", 80}), Catch::Matchers::VectorContains(std::string("0.0.0.0:80")));
  CHECK_THROWS_AS(resolve(HostAddress{"nowhere.invalid", 80}), ListenError);
  CHECK(to_string(resolve(tcp("192.0.2.1", 80)).front()) == "192.0.2.1:80");
}

TEST_CASE("a Unix domain socket stands in the file system as long as its listener") {
  deployd::tests::TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  {
    Listener listener(UnixAddress{path}, 2, false);
    auto const sockets = take_all(listener, 2);
    CHECK(listener.name() == "unix:" + path);
    CHECK(std::filesystem::is_socket(path));
    auto const client = connect_to(path);
    CHECK(client.get() >= 0);
    CHECK(one_has_a_connection(sockets));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a Unix domain socket that somebody listens on is left alone") {
  deployd::tests::TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  Listener listener(UnixAddress{path}, 1, false);
  auto const sockets = take_all(listener, 1);
  CHECK_THROWS_MATCHES(Listener(UnixAddress{path}, 1, false), ListenError,
                       Message("cannot listen on unix:" + path + ": another process listens there"));
  CHECK(connect_to(path).get() >= 0);
}

TEST_CASE("a Unix domain socket left behind by a process that is gone is replaced") {
  deployd::tests::TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    deployd::base::FileDescriptor const gone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(gone.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(gone.get(), 1) == 0);
  }
  REQUIRE(std::filesystem::is_socket(path));
  Listener listener(UnixAddress{path}, 1, false);
  auto const sockets = take_all(listener, 1);
  CHECK(connect_to(path).get() >= 0);
}

TEST_CASE("a file that is no socket is never taken away") {
  deployd::tests::TemporaryDirectory const directory;
  auto const path = directory.write("precious", "data");
  CHECK_THROWS_MATCHES(Listener(UnixAddress{path}, 1, false), ListenError,
                       Message("cannot listen on unix:" + path + ": there is a file of that name that is no socket"));
  CHECK(deployd::tests::read_file(path) == "data");
}

TEST_CASE("a Unix domain socket whose path is too long or whose directory is missing is refused by name") {
  auto const path = GENERATE("/tmp/" + std::string(200, 'x'), std::string("/nonexistent/deployd.sock"));
  try {
    Listener const listener(UnixAddress{path}, 1, false);
    FAIL("it listens");
  } catch (ListenError const& error) {
    CHECK(std::string(error.what()).starts_with("cannot listen on unix:" + path + ": "));
  }
}
