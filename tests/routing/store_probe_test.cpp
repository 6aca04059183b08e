#include "routing/store_probe.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <catch2/catch_test_macros.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "storage/error.hpp"

namespace deployd::routing {
namespace {

using boost::system::result;

/// A store whose pings take until `answer`, for time and faults.
class SlowStore final : public storage::Store {
 public:
  explicit SlowStore(boost::asio::io_context& loop) : answered_(loop) {}

  int pings = 0;

  void answer(std::optional<result<bool>> with) {
    answer_ = with;
    answered_.expires_after(std::chrono::milliseconds(0));
  }

  /// Nothing: the ping throws.
  storage::Answer<bool> ping() override {
    ++pings;
    answered_.expires_at(std::chrono::steady_clock::time_point::max());
    co_await answered_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!answer_) throw std::runtime_error("no memory");
    co_return *answer_;
  }

  std::optional<std::uint64_t> data_version() noexcept override { return std::nullopt; }
  storage::Answer<bool> deployment(std::int64_t, storage::RowSink&) override { co_return unasked(); }
  storage::Answer<storage::Listing> list(storage::Filter const&, std::size_t, storage::RowSink&) override {
    co_return unasked();
  }
  storage::Answer<std::unique_ptr<storage::Cursor>> open_cursor(storage::Filter const&, storage::CursorUse) override {
    co_return unasked();
  }
  storage::Answer<std::optional<storage::ApiToken>> api_token(storage::Sha256 const&) override { co_return unasked(); }
  void note_token_used(std::int64_t) noexcept override {}

 private:
  static boost::system::error_code unasked() { throw std::logic_error("not a question of a probe"); }

  boost::asio::steady_timer answered_;
  std::optional<result<bool>> answer_;
};

struct Asked {
  boost::asio::io_context loop{1};
  SlowStore store{loop};
  StoreProbe probe{store};
  std::vector<result<bool>> answers;
  int thrown = 0;

  void ask(int times = 1) {
    for (int i = 0; i < times; ++i) boost::asio::co_spawn(loop, wait(), boost::asio::detached);
    turn();
  }

  void answer(std::optional<result<bool>> with) {
    store.answer(with);
    turn();
  }

  void turn() {
    loop.restart();
    loop.poll();
  }

 private:
  boost::asio::awaitable<void> wait() try {
    auto const answered = co_await probe.ask();
    answers.push_back(answered);
  } catch (std::runtime_error const&) {
    ++thrown;
  }
};

auto const away = result<bool>(storage::make_error_code(storage::errc::unavailable));

}  // namespace

TEST_CASE("whoever asks while a ping is under way waits for that one") {
  Asked asked;
  asked.ask(1000);
  CHECK(asked.store.pings == 1);
  CHECK(asked.answers.empty());
  asked.answer(true);
  CHECK(asked.answers == std::vector<result<bool>>(1000, true));
}

TEST_CASE("the result of a ping is good for a tenth of a second, whatever it was") {
  Asked asked;
  for (auto const& result : {result<bool>(true), away, result<bool>(true)}) {
    asked.answers.clear();
    auto const before = asked.store.pings;
    auto const start = std::chrono::steady_clock::now();
    asked.ask();
    asked.answer(result);
    asked.ask(1000);
    REQUIRE(asked.store.pings == before + 1);
    CHECK(asked.answers == std::vector(1001, result));
    std::this_thread::sleep_until(start + 2 * StoreProbe::fresh_for);
  }
}

TEST_CASE("a ping that throws leaves nobody waiting, and the next one is put") {
  Asked asked;
  asked.ask(3);
  asked.answer(std::nullopt);
  CHECK(asked.thrown == 1);
  CHECK(asked.answers == std::vector<result<bool>>(2, away));
  asked.ask();
  CHECK(asked.store.pings == 2);
  asked.answer(true);
  CHECK(asked.answers.back() == true);
}

TEST_CASE("a probe that ends with its loop leaves nothing behind") {
  Asked asked;
  asked.ask(3);
  CHECK(asked.store.pings == 1);
}

}  // namespace deployd::routing
