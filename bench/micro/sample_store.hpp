// A store with sample rows, opened as a worker does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/database.hpp"
#include "storage/store.hpp"
#include "tests/process.hpp"

namespace deployd::bench {

class SampleStore {
 public:
  static constexpr int patterns = 10;
  static constexpr int deployments_each = 100;

  /// Creates patterns PATTERN_1 and so on. The deployments of the first have the ids 1 to 100, and so on. Without
  /// `url`, which must be of an empty store, they are in a SQLite file.
  explicit SampleStore(std::optional<storage::DatabaseUrl> url = {});

  storage::Store& store() noexcept { return *store_; }
  storage::DatabaseUrl const& url() const noexcept { return url_; }

  /// Adds `token` to the store.
  void add_token(std::string_view token);

  /// Runs the loop until `work` is done. The benchmark's own loop belongs into `work`, so that the event loop is not
  /// measured.
  void run(boost::asio::awaitable<void> work) {
    boost::asio::co_spawn(loop_, std::move(work), [this](std::exception_ptr failure) {
      loop_.stop();
      if (failure) std::rethrow_exception(failure);
    });
    loop_.restart();
    loop_.run();
  }

 private:
  tests::TemporaryDirectory directory_;
  storage::DatabaseUrl url_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::Store> store_;
};

}  // namespace deployd::bench
