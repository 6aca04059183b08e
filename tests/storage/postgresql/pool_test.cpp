// The sessions of one worker at the end of its loop.
#include <catch2/catch_test_macros.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "storage/postgresql/pool.hpp"

namespace deployd::storage {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

/// Takes connections into its backlog and never answers.
class SilentServer {
 public:
  PostgresqlUrl url() const {
    auto const port = std::to_string(acceptor_.local_endpoint().port());
    return std::get<PostgresqlUrl>(*parse_database_url("postgresql://user@127.0.0.1:" + port + "/store"));
  }

 private:
  boost::asio::io_context context_;
  tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
};

}  // namespace

TEST_CASE("an attempt to connect that outlives the worker's loop refers to nothing of it") {
  SilentServer const server;
  PrimaryWatch const primary;
  PostgresqlQueries const queries(relation_names({}), true);
  auto connector = std::make_unique<PostgresqlConnector>(
      PostgresqlSource{PostgresqlHosts(server.url()), true, 1s, primary, queries});
  std::weak_ptr<PostgresqlPool> pool;
  {
    boost::asio::io_context loop;
    auto const owned = std::make_shared<PostgresqlPool>(loop.get_executor(), *connector, 1);
    pool = owned;
    boost::asio::co_spawn(loop, owned->open_session(), boost::asio::detached);
    loop.poll();
    owned->close();
  }
  CHECK(pool.expired());
  connector.reset();  // waits for the attempt; what it destroys must not be of the loop (checked by the sanitizers)
}

}  // namespace deployd::storage
