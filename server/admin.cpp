#include "server/admin.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/listen/descriptor_limit.hpp"

namespace deployd::server {
namespace {

constexpr std::chrono::seconds between_tries{1};

}  // namespace

ServeOptions Admin::for_admin(ServeOptions options) {
  options.workers = 1;
  options.max_connections = admin_connections();
  options.max_connections_per_address = 0;
  options.cache_bytes = 0;
  options.cors_origins = {};
  options.page = false;
  options.rate_limit.reset();
  options.access_log = AccessLog::off;
  return options;
}

Admin::Admin(boost::asio::io_context& main, ServeOptions const& options, storage::Database& database, MetricsPage& page,
             Endpoints endpoints, std::vector<PassedSocket> passed)
    : main_(main),
      options_(for_admin(options)),
      page_(page),
      endpoints_(std::move(endpoints)),
      shared_{options_,
              database,
              nullptr,
              ConnectionCount(options_.max_connections),
              AddressLimit(options_.max_connections_per_address),
              &page_},
      pause_(main),
      turn_(main),
      passed_(!passed.empty()) {
  if (passed_) {
    listen({std::move_iterator(passed.begin()), std::move_iterator(passed.end())});
    return;
  }
  try {
    listen_alone(options_.take_over);
  } catch (ListenError const& failure) {
    if (!options_.take_over) throw ListenError(fmt::format("{}: {}", options_.admin_listen_origin, failure.what()));
    spdlog::warn("--admin-listen: {}; trying again until it has ended", failure.what());
    listen_again();
  }
}

Admin::~Admin() {
  stop();
}

void Admin::listen_alone(bool take_over) {
  listen(listen_on_each(endpoints_, [take_over](ListenAddress const& address) {
    return Listener(address, 1, take_over, Sharing::in_turn);
  }));
}

void Admin::listen(std::vector<Listener> listeners) {
  listeners_ = std::move(listeners);
  WorkerEvents events;
  events.listener_lost = [this](std::error_code failure) {
    boost::asio::post(main_, [this, failure] { lost(failure); });
  };
  worker_ =
      std::make_unique<Worker>(shared_, auth::KeyRing::load({}), take_of_each(listeners_, 0, 1), std::move(events));
  page_.set_prober(worker_.get());
}

void Admin::start() {
  if (!worker_ || !await_turns()) return;
  spdlog::info("/metrics, /healthz and /readyz on {} are served by the older deployd until it drains",
               names_of(listeners_));
}

bool Admin::await_turns() {
  for (auto& listener : listeners_) {
    auto turn = listener.take_turn();
    if (turn.get() < 0) continue;
    turn_.assign(turn.release());
    turn_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](boost::system::error_code cancelled) {
      if (cancelled) return;
      turn_.close();
      await_turns();
    });
    return true;
  }
  serve();
  return false;
}

void Admin::serve() {
  if (draining_) worker_->announce_drain();
  worker_->start();
  for (auto& listener : listeners_) listener.offer_on(main_);
  spdlog::info("/metrics, /healthz and /readyz on {}", names_of(listeners_));
}

void Admin::stop() {
  if (worker_) {
    worker_->stop();
    worker_->join();
  }
  worker_.reset();
  listeners_.clear();
}

void Admin::begin_drain() {
  draining_ = true;
  if (!worker_) return;
  worker_->announce_drain();
  if (std::ranges::none_of(listeners_, &Listener::is_awaited)) return;
  spdlog::info("{} is now served by the deployd that takes over", names_of(listeners_));
  worker_->begin_drain();
  for (auto& listener : listeners_) listener.close();
}

void Admin::lost(std::error_code failure) {
  spdlog::error("--admin-listen: {} can no longer be listened on: {}; {}", names_of(listeners_), failure.message(),
                passed_ ? "systemd owns the socket: restart its socket unit and deployd" : "listening again");
  if (passed_) return;
  stop();
  listen_again();
}

void Admin::listen_again() {
  pause_.expires_after(between_tries);
  pause_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    try {
      listen_alone(false);
      start();
    } catch (std::exception const& failure) {
      spdlog::debug("--admin-listen: {}", failure.what());
      listen_again();
    }
  });
}

}  // namespace deployd::server
