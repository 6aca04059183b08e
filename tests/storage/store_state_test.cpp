// What the log says of a store that goes and comes.
#include "storage/store_state.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <sstream>
#include <string>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using namespace std::chrono_literals;

/// The lines that are logged while this lives.
class Logged {
 public:
  Logged() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_));
    logger->set_pattern("%l: %v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~Logged() { spdlog::set_default_logger(before_); }
  Logged(Logged const&) = delete;
  Logged& operator=(Logged const&) = delete;

  /// Those since the last call.
  std::string take() {
    auto text = lines_.str();
    lines_.str("");
    return text;
  }

 private:
  std::ostringstream lines_;
  std::shared_ptr<spdlog::logger> before_;
};

auto const away = make_error_code(errc::unavailable);
StoreState::TimePoint const start{1h};

TEST_CASE("each time the store goes its reason is logged at once, and each time it comes back") {
  Logged logged;
  StoreState state;
  for (auto const* const why : {"first", "second", "third"}) {
    state.lost(away, why, start);
    CHECK(logged.take() == std::string("error: the store is not available: ") + why + "\n");
    state.found();
    CHECK(logged.take() == "info: the store is available again\n");
  }
}

TEST_CASE("while the store is away or there, what repeats is logged every ten seconds") {
  Logged logged;
  StoreState state;
  state.found();
  CHECK(logged.take().empty());
  state.lost(away, "one", start);
  state.lost(away, "two", start + 9s);
  state.failed(make_error_code(errc::timeout), "three", start + 9s);
  CHECK(logged.take() == "error: the store is not available: one\n");
  state.lost(away, "four", start + 10s);
  CHECK(logged.take() == "error: the store is not available: four\n");
  state.found();
  state.found();
  CHECK(logged.take() == "info: the store is available again\n");
}

TEST_CASE("a query that fails is logged, but does not make the store away") {
  Logged logged;
  StoreState state;
  state.failed(make_error_code(errc::timeout), "one", start);
  state.failed(make_error_code(errc::timeout), "two", start + 1s);
  state.found();
  CHECK(logged.take() == "error: the store did not answer in time: one\n");
  state.lost(away, "three", start + 1s);
  CHECK(logged.take() == "error: the store is not available: three\n");
  state.found();
  state.failed(make_error_code(errc::timeout), "four", start + 1s);
  CHECK(logged.take() == "info: the store is available again\nerror: the store did not answer in time: four\n");
}

}  // namespace
}  // namespace deployd::storage
