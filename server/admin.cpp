#include "server/admin.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace deployd::server {
namespace {

// Some for scrapers and load balancers, none for those who try how many there are.
constexpr std::size_t most_connections = 64;

constexpr std::chrono::seconds between_tries{1};

}  // namespace

ServeOptions Admin::for_admin(ServeOptions options) {
  options.workers = 1;
  options.max_connections = most_connections;
  options.max_connections_per_address = 0;
  options.cache_bytes = 0;
  options.cors_origins = {};
  options.rate_limit.reset();
  options.access_log = AccessLog::off;
  return options;
}

Admin::Admin(boost::asio::io_context& main, ServeOptions const& options, storage::Database& database, MetricsPage& page)
    : main_(main),
      options_(for_admin(options)),
      page_(page),
      shared_{options_,
              database,
              nullptr,
              ConnectionCount(options_.max_connections),
              AddressLimit(options_.max_connections_per_address),
              &page_},
      pause_(main) {
  try {
    listen();
  } catch (ListenError const& failure) {
    if (!options_.take_over) throw ListenError(fmt::format("--admin-listen: {}", failure.what()));
    spdlog::warn("--admin-listen: {}; trying again until the older deployd has ended", failure.what());
    listen_again();
  }
}

Admin::~Admin() {
  stop();
}

void Admin::listen() {
  listener_.emplace(Listener::exclusive(*options_.admin_listen));
  WorkerEvents events;
  events.listener_lost = [this](std::error_code failure) {
    boost::asio::post(main_, [this, failure] { lost(failure); });
  };
  worker_ = std::make_unique<Worker>(shared_, auth::KeyRing::load({}), listener_->take(0, 1), std::move(events));
  page_.set_prober(worker_.get());
}

void Admin::start() {
  if (!worker_) return;
  if (draining_) worker_->announce_drain();
  worker_->start();
  spdlog::info("/metrics, /healthz and /readyz on {}", listener_->name());
}

void Admin::stop() {
  if (worker_) {
    worker_->stop();
    worker_->join();
  }
  worker_.reset();
  listener_.reset();
}

void Admin::begin_drain() {
  draining_ = true;
  if (worker_) worker_->announce_drain();
}

void Admin::lost(std::error_code failure) {
  spdlog::error("--admin-listen: {} cannot be listened on any more: {}; listening again", listener_->name(),
                failure.message());
  stop();
  listen_again();
}

void Admin::listen_again() {
  pause_.expires_after(between_tries);
  pause_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    try {
      listen();
      start();
    } catch (ListenError const& failure) {
      spdlog::debug("--admin-listen: {}", failure.what());
      listen_again();
    }
  });
}

}  // namespace deployd::server
