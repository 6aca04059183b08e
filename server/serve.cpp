#include "server/serve.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "server/admin.hpp"
#include "server/event_loop.hpp"
#include "server/keys/key_refresher.hpp"
#include "server/listen/descriptor_limit.hpp"
#include "server/listen/listener.hpp"
#include "server/log/access_log_file.hpp"
#include "server/log_setup.hpp"
#include "server/metrics/page.hpp"
#include "server/metrics/process_usage.hpp"
#include "server/metrics/reload_record.hpp"
#include "server/options/endpoints.hpp"
#include "server/store_wait.hpp"
#include "server/systemd/notifier.hpp"
#include "server/systemd/sockets.hpp"
#include "server/systemd/watchdog.hpp"
#include "server/worker.hpp"
#include "storage/database.hpp"
#include "storage/error.hpp"
#include "storage/schema/row_estimate.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;

// The open descriptors of a server without connections, and of each of its loops besides listening sockets.
constexpr std::size_t least_descriptors = 24;
constexpr std::size_t least_descriptors_of_a_worker = 10;
constexpr std::size_t descriptors_of_key_refresher = 3;  // of its event loop

// Descriptors that are opened occasionally and closed soon: reloaded files, /proc for the metrics, another deployd that
// requests the sockets, the admin address when it is opened again.
constexpr std::size_t transient_descriptors = 10;

// The time needed for shutting down besides waiting for clients.
constexpr std::chrono::seconds time_to_end{10};

unsigned usable_cores() noexcept {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
}

// When the server starts, clients wait in the backlog for keys that are fetched, instead of being refused.
constexpr std::chrono::seconds longest_start_without_keys{3};

std::size_t needed_descriptors(ServeOptions const& options) noexcept {
  auto const sources = options.key_sources.locations.size();
  return least_descriptors + options.workers * (least_descriptors_of_a_worker + options.listen.size()) +
         (sources == 0 ? 0 : descriptors_of_key_refresher + sources);
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// The workers, and the signals that stop them. Signals arrive on the main thread. Handlers on the main loop first wait
/// for the next event and then do their work: the work may fail if memory runs out, and the next event must still be
/// handled.
class Server {
 public:
  /// Lowers `options.max_connections` to what the limit on descriptors allows.
  Server(ServeOptions& options, storage::Database& database, std::function<ReloadedOptions()> reread)
      : options_(options),
        reread_(std::move(reread)),
        shared_{options,
                database,
                make_limiter(options),
                ConnectionCount(options.max_connections),
                AddressLimit(options.max_connections_per_address),
                nullptr},
        tls_(load_tls(options.tls)) {
    listen();
    auto const keys = auth::KeyRing::load(options.keys);
    refresher_.emplace(options.key_sources, keys);
    shared_.key_missing = [this](std::string_view kid) { return refresher_->key_missing(kid); };
    keys_ = keys->keys().size();
    note_reloaded();
    for (unsigned index = 0; index < options.workers; ++index) {
      auto sockets = take_of_each(listeners_, index, options.workers);
      workers_.push_back(
          std::make_unique<Worker>(shared_, refresher_->ring(), std::move(sockets), worker_events(index)));
      if (tls_) workers_.back()->replace_tls(tls_);
    }
    page_.replace_tls(tls_);
    page_.set_key_refresher(&*refresher_);
    if (!admin_endpoints_.empty() || !passed_admin_.empty())
      admin_.emplace(main_, options, database, page_, std::move(admin_endpoints_), std::move(passed_admin_));
    limit_connections(options);
    // Done last, so that a start that fails prints one line.
    warn_of(*keys);
    if (keys->empty() && options.key_sources.locations.empty() && !database.has_api_tokens())
      spdlog::warn("no key for tokens is configured and the store has no API token: every request will be refused");
  }

  ~Server() {
    // Its thread uses the workers, and they use it: end the thread before any of them is destroyed.
    refresher_->stop();
  }
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  void run() {
    await_stop();
    await_reload();
    watch_certificates();
    watch_log();
    refresher_->start({.new_keys =
                           [this](std::shared_ptr<auth::KeyRing const> const& keys) {
                             for (auto& worker : workers_) worker->replace_keys(keys);
                           },
                       .no_new_keys =
                           [this] {
                             for (auto& worker : workers_) worker->retry_waiting_tokens();
                           }});
    refresher_->wait_for_keys(longest_start_without_keys);
    for (auto& worker : workers_) worker->start();
    if (admin_) admin_->start();
    for (auto& listener : listeners_) {
      listener.offer_on(main_);
      spdlog::info("listening on {}{}", listener.name(), tls_ && listener.is_tcp() ? ", HTTPS" : "");
    }
    systemd_.ready(serving_status());
    watch_loops();
    introduce();
    main_.run_on();
    for (auto& worker : workers_) worker->join();
    admin_.reset();
    report_refusals(auth::RefusalLog::Clock::time_point::max());
    spdlog::info("stopped");
  }

 private:
  static std::shared_ptr<routing::RateLimiter> make_limiter(ServeOptions const& options) {
    return options.rate_limit ? std::make_shared<routing::RateLimiter>(*options.rate_limit) : nullptr;
  }

  void limit_connections(ServeOptions& options) {
    auto const store = shared_.database.descriptor_needs();
    // Each listener keeps copies of the sockets that it hands over, besides the socket for requests to hand over.
    auto const handed_over = listeners_.size() * (options.workers + 1) + (admin_ ? 2 : 0);
    auto const open = read_process_usage().open_descriptors;  // 0 without /proc
    DescriptorReserve const reserve{.open = open > 0 ? open : needed_descriptors(options),
                                    .serving = handed_over + transient_descriptors +
                                               2 * options.key_sources.locations.size() + store.serving +
                                               (admin_ ? admin_connections() : 0),
                                    .lists = store.lists};
    options.max_connections = connections_within_limit(options.max_connections, reserve);
    shared_.connections.limit_to(options.max_connections);
  }

  /// Sockets passed by systemd take precedence over --listen and --admin-listen.
  void listen() {
    for (auto& passed : take_passed_sockets()) {
      if (passed.is_admin())
        passed_admin_.push_back(std::move(passed));
      else
        listeners_.emplace_back(std::move(passed));
    }
    if (!passed_admin_.empty())
      spdlog::info("systemd has handed over {} for --admin-listen", counted(passed_admin_.size(), "listening socket"));
    if (!listeners_.empty()) {
      spdlog::info("systemd has handed over {} in place of --listen", counted(listeners_.size(), "listening socket"));
      if (passed_admin_.empty()) admin_endpoints_ = resolve_admin_listen(options_, {});
      return;
    }
    auto const resolved = resolve_listen(options_);
    try {
      for (auto const& endpoints : resolved)
        std::ranges::move(listen_on_each(endpoints,
                                         [this](ListenAddress const& address) {
                                           return Listener(address, options_.workers, options_.take_over);
                                         }),
                          std::back_inserter(listeners_));
    } catch (ListenError const& failure) {
      throw ListenError(fmt::format("{}: {}", options_.listen_origin, failure.what()));
    }
    if (passed_admin_.empty()) admin_endpoints_ = resolve_admin_listen(options_, resolved);
  }

  void watch_loops() {
    std::vector<asio::io_context*> loops;
    for (auto const& worker : workers_) loops.push_back(&worker->context());
    watchdog_.watch(std::move(loops));
  }

  /// Logs in one line what is served, from which store and on which addresses. Called only after requests are served:
  /// reading the store takes time.
  void introduce() const {
    spdlog::info("deployd {} serves {} on {} with {}, and accepts {}", DEPLOYD_VERSION, describe_store(),
                 names_of(listeners_), counted(options_.workers, "worker"), describe_accepted());
  }

  std::string describe_store() const {
    auto const& store = options_.database;
    auto const name = storage::describe(store.url);
    if (!store.patterns_relation.empty())
      return fmt::format("{} (relations {} and {})", name, store.patterns_relation, store.deployments_relation);
    try {
      auto const size = storage::estimate_size(store.url);
      return fmt::format("{} ({}, {})", name, to_text(size.patterns, "pattern"),
                         to_text(size.deployments, "deployment"));
    } catch (storage::Error const& failure) {
      return fmt::format("{} (the number of rows is unknown: {})", name, failure.what());
    }
  }

  std::string describe_accepted() const {
    auto const urls = options_.key_sources.locations.size();
    std::vector<std::string> signers;
    if (keys_ > 0) signers.push_back(counted(keys_, "configured key"));
    if (urls > 0) signers.push_back("the keys of " + counted(urls, "URL"));
    auto const jwts =
        signers.empty() ? std::string("no JWT") : fmt::format("JWTs signed with {}", fmt::join(signers, " or "));
    try {
      if (shared_.database.has_api_tokens()) return "API tokens and " + jwts;
      return jwts + " and no API token";
    } catch (storage::Error const& failure) {
      return fmt::format("{} (cannot determine whether API tokens are accepted: {})", jwts, failure.what());
    }
  }

  std::string serving_status() const { return "Serving on " + names_of(listeners_); }

  WorkerEvents worker_events(std::size_t index) {
    WorkerEvents events;
    events.drained = [this, index] { asio::post(main_, [this, index] { worker_drained(index); }); };
    events.listener_lost = [](std::error_code failure) {
      spdlog::error("a worker can no longer listen: {}", failure.message());
    };
    return events;
  }

  void await_stop() {
    stop_signals_.async_wait([this](boost::system::error_code failure, int signal) {
      if (failure) return;
      if (std::exchange(draining_, true)) {
        cut_everything();
        spdlog::warn("second signal {}: stopping without waiting", signal);
        return;
      }
      await_stop();
      spdlog::info("signal {}: finishing open requests, then stopping", signal);
      announce_drain();
    });
  }

  /// Announces the shutdown, and continues to serve for --drain-delay: load balancers that poll /readyz have that long
  /// to send their clients elsewhere.
  void announce_drain() {
    systemd_.stopping("Stopping", options_.drain_delay + options_.drain_timeout + time_to_end);
    page_.begin_drain();
    if (admin_) admin_->begin_drain();
    for (auto& worker : workers_) worker->announce_drain();
    if (options_.drain_delay.count() == 0) return drain();
    drain_timer_.expires_after(options_.drain_delay);
    drain_timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) drain();
    });
  }

  void drain() {
    systemd_.status("Finishing open requests");
    // Sockets that are not accepted from are closed first, so that those of the workers are closed last.
    for (auto& listener : listeners_) listener.close();
    for (auto& worker : workers_) worker->begin_drain();
    drain_timer_.expires_after(options_.drain_timeout);
    drain_timer_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      spdlog::warn("draining took longer than --drain-timeout: closing the remaining connections");
      cut_everything();
    });
  }

  void await_reload() {
    reload_signal_.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      await_reload();
      systemd_.reloading();
      systemd_.ready(serving_status() + reload());
    });
  }

  static void warn_of(auth::KeyRing const& keys) {
    for (auto const& line : keys.complaints()) spdlog::warn("{}", line);
  }

  /// Reads everything before it applies anything. Returns the message for the status.
  std::string reload() {
    reopen_log_file();
    ReloadedOptions fresh;
    try {
      fresh = reread_();
      auto const keys = auth::KeyRing::load(fresh.keys);
      if (fresh.tls.certificates.empty() == (tls_ != nullptr))
        throw TlsError("--tls-cert: HTTPS is switched on or off by a restart only");
      auto trust = KeyRefresher::trust_for(fresh.key_sources);
      auto tls = load_tls(fresh.tls);
      reload_log_level(fresh.settings);
      refresher_->replace(std::move(fresh.key_sources), std::move(trust), keys);
      warn_of(*keys);
      if (tls) replace_tls(std::move(tls));
    } catch (std::exception const& error) {
      auto const why = fresh.settings.with_origin(error.what());
      reloads_.failed.add();
      reloads_.last_succeeded.set(0);
      spdlog::error("not reloaded, the old values stay in use: {}", why);
      return fmt::format("; not reloaded: {}", why);
    }
    note_reloaded();
    reloads_.succeeded.add();
    if (fresh.need_restart.empty()) {
      spdlog::info("reloaded");
      return {};
    }
    auto const waiting = fmt::format("restart deployd to apply the changed {}", fmt::join(fresh.need_restart, ", "));
    spdlog::warn("reloaded keys, certificates and log level; {}", waiting);
    return "; " + waiting;
  }

  /// Done whatever the outcome of the reload: the file has already been renamed.
  static void reopen_log_file() {
    try {
      reopen_access_log();
    } catch (std::system_error const& failure) {
      spdlog::error("the access log cannot be reopened ({}); lines continue in the file that is open", failure.what());
    }
  }

  /// Returns null if TLS is off.
  std::shared_ptr<TlsContext const> load_tls(TlsOptions const& options) const {
    return options.certificates.empty() ? nullptr : TlsContext::load(options, tickets_);
  }

  void replace_tls(std::shared_ptr<TlsContext const> tls) {
    tls_ = std::move(tls);
    for (auto& worker : workers_) worker->replace_tls(tls_);
    page_.replace_tls(tls_);
    watch_certificates();
  }

  /// Logs now and once a day which certificates have expired or expire soon.
  void watch_certificates() {
    if (!tls_) return;
    certificate_check_.expires_after(std::chrono::hours(24));
    certificate_check_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) watch_certificates();
    });
    for (auto const& line : tls_->complaints(std::chrono::system_clock::now())) spdlog::warn("{}", line);
  }

  void watch_log() {
    log_check_.expires_after(std::chrono::seconds(5));
    log_check_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      watch_log();
      report_repeated_lines();
      report_refusals(auth::RefusalLog::Clock::now());
      report_lost_access_lines();
    });
  }

  /// Logs the number of refused tokens that had no log line of their own, in windows that have ended by `now`.
  void report_refusals(auth::RefusalLog::Clock::time_point now) {
    for (auto const& [why, times] : shared_.refusals.take_ended(now))
      spdlog::info("tokens refused: {} more since the last such line: the token {}", times, auth::in_words(why));
  }

  void note_reloaded() noexcept {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    reloads_.last_succeeded.set(1);
    reloads_.last_success.set(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(now).count()));
  }

  void cut_everything() {
    for (auto& worker : workers_) worker->stop();
  }

  void worker_drained(std::size_t index) {
    watchdog_.forget(workers_[index]->context());
    if (++drained_workers_ == workers_.size()) main_.stop();
  }

  ServeOptions const& options_;
  std::function<ReloadedOptions()> reread_;
  SharedState shared_;
  std::shared_ptr<TlsTicketKeys> tickets_ = std::make_shared<TlsTicketKeys>();
  std::shared_ptr<TlsContext const> tls_;
  EventLoop main_{1};
  asio::signal_set stop_signals_{main_, SIGTERM, SIGINT};
  asio::signal_set reload_signal_{main_, SIGHUP};
  asio::steady_timer drain_timer_{main_};
  asio::steady_timer certificate_check_{main_};
  asio::steady_timer log_check_{main_};
  SystemdNotifier systemd_;
  SystemdWatchdog watchdog_{main_, systemd_, watchdog_limit()};
  bool draining_ = false;
  std::size_t keys_ = 0;  // for JWTs, at the start
  std::size_t drained_workers_ = 0;
  std::vector<Listener> listeners_;
  std::vector<PassedSocket> passed_admin_;  // until admin_ is created from them
  Endpoints admin_endpoints_;               // likewise
  std::optional<KeyRefresher> refresher_;   // set by the constructor; destroyed after the workers
  std::vector<std::unique_ptr<Worker>> workers_;
  ReloadRecord reloads_;
  MetricsPage page_{options_, shared_.database, workers_, reloads_};
  std::optional<Admin> admin_;
};

}  // namespace

int serve(ServeOptions const& given, std::function<ReloadedOptions()> reread) {
  std::signal(SIGPIPE, SIG_IGN);
  auto options = given;
  if (options.workers == 0) options.workers = usable_cores();
  auto const needed = needed_descriptors(options);
  allow_descriptors(needed, 4 * needed);
  options.database.workers = options.workers;
  std::unique_ptr<storage::Database> database;
  wait_for_store({.limit = options.wait_for_store, .for_schema = true},
                 [&] { database = storage::open_database(options.database); });
  Server(options, *database, std::move(reread)).run();
  return EXIT_SUCCESS;
}

}  // namespace deployd::server
