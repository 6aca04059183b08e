#include "server/serve.hpp"

#include <sched.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <utility>

#include "server/listener.hpp"
#include "server/worker.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;

unsigned usable_cores() noexcept {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
}

/// The workers and what ends them: signals, arriving on the main thread.
class Server {
 public:
  Server(ServeOptions const& options, storage::Database& database, std::function<auth::KeyRingOptions()> reread)
      : options_(options),
        reread_(std::move(reread)),
        shared_{options, database, make_limiter(options), ConnectionCount(options.max_connections)} {
    for (auto const& address : options.listen) listeners_.emplace_back(address, options.workers, options.take_over);
    auto const keys = auth::KeyRing::load(options.keys);
    if (keys->empty() && !database.has_api_tokens())
      spdlog::warn("no key for tokens is configured and the store has no API token: every call will be refused");
    for (unsigned index = 0; index < options.workers; ++index) {
      std::vector<FileDescriptor> sockets;
      for (auto& listener : listeners_) sockets.push_back(listener.take(index));
      workers_.push_back(std::make_unique<Worker>(shared_, keys, std::move(sockets),
                                                  [this] { asio::post(main_, [this] { worker_drained(); }); }));
    }
  }

  void run() {
    await_stop();
    await_reload();
    for (auto& worker : workers_) worker->start();
    for (auto const& listener : listeners_) spdlog::info("listening on {}", listener.name());
    main_.run();
    for (auto& worker : workers_) worker->join();
    spdlog::info("stopped");
  }

 private:
  static std::shared_ptr<routing::RateLimiter> make_limiter(ServeOptions const& options) {
    return options.rate_limit ? std::make_shared<routing::RateLimiter>(*options.rate_limit) : nullptr;
  }

  void await_stop() {
    stop_signals_.async_wait([this](boost::system::error_code failure, int signal) {
      if (failure) return;
      if (std::exchange(draining_, true)) {
        spdlog::warn("second signal {}: stopping without waiting", signal);
        cut_everything();
        return;
      }
      spdlog::info("signal {}: answering what is under way, then stopping", signal);
      for (auto& worker : workers_) worker->begin_drain();
      drain_limit_.expires_after(options_.drain_timeout);
      drain_limit_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled) return;
        spdlog::warn("draining took longer than --drain-timeout: closing the connections that are left");
        cut_everything();
      });
      await_stop();
    });
  }

  void await_reload() {
    reload_signal_.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      try {
        auto const keys = auth::KeyRing::load(reread_());
        for (auto& worker : workers_) worker->replace_keys(keys);
        spdlog::info("reloaded");
      } catch (std::exception const& error) {
        spdlog::error("not reloaded, everything stays as it was: {}", error.what());
      }
      await_reload();
    });
  }

  void cut_everything() {
    for (auto& worker : workers_) worker->stop();
  }

  void worker_drained() {
    if (++drained_workers_ == workers_.size()) main_.stop();
  }

  ServeOptions const& options_;
  std::function<auth::KeyRingOptions()> reread_;
  SharedState shared_;
  asio::io_context main_{1};
  asio::signal_set stop_signals_{main_, SIGTERM, SIGINT};
  asio::signal_set reload_signal_{main_, SIGHUP};
  asio::steady_timer drain_limit_{main_};
  bool draining_ = false;
  std::size_t drained_workers_ = 0;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

int serve(ServeOptions const& given, std::function<auth::KeyRingOptions()> reread) {
  std::signal(SIGPIPE, SIG_IGN);
  auto options = given;
  if (options.workers == 0) options.workers = usable_cores();
  auto const database = storage::open_database(options.database);
  Server(options, *database, std::move(reread)).run();
  return EXIT_SUCCESS;
}

}  // namespace deployd::server
