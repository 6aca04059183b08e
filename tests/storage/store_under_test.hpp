// A store of either kind with an event loop to ask it on, and a second session to change the data behind its back.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "storage/database.hpp"
#include "storage/store.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace deployd::tests {
class PostgresqlServer;
}

namespace deployd::storage {

enum class Kind { sqlite, postgresql };

std::ostream& operator<<(std::ostream& out, Kind kind);

/// The server of this test program, started when it is first needed.
tests::PostgresqlServer& postgresql_server();

class StoreUnderTest {
 public:
  /// An empty store with the current schema, not yet opened for serving.
  explicit StoreUnderTest(Kind kind);
  ~StoreUnderTest();

  DatabaseOptions options;

  /// Opens the database (once, with `options`) and gives the view of a worker whose loop is `loop`.
  Store& store();
  Database& database();
  void close();

  /// Runs SQL on a session of its own and commits. Tables are named without a schema.
  void write(std::string const& sql);

  /// Patterns 1 and 2, `ALPHA` and `BETA`, and an empty third, `EMPTY`; deployments 10, 20 .. 10 * `count`, the odd
  /// tens in ALPHA and the even ones in BETA, named `d1`, `d2`, `d0`, `d1` ... by the number modulo three.
  void fill(int count);

  /// Runs the loop until `question` is answered.
  template <typename T>
  T ask(boost::asio::awaitable<T> question) {
    auto future = boost::asio::co_spawn(loop, std::move(question), boost::asio::use_future);
    loop.restart();
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      if (loop.run_one_for(std::chrono::seconds(30)) == 0) throw std::runtime_error("no answer in 30 s");
    return future.get();
  }

  /// Waits until the data version differs from `old` (and is one); false when it takes longer than `deadline`.
  bool wait_for_new_version(std::optional<std::uint64_t> old, std::chrono::milliseconds deadline);

  boost::asio::io_context loop{1};

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Store> store_;
};

}  // namespace deployd::storage
