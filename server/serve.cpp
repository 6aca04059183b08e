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
#include "server/options/endpoints.hpp"
#include "server/options/option_table.hpp"
#include "server/store_wait.hpp"
#include "server/systemd/notifier.hpp"
#include "server/systemd/sockets.hpp"
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
  Server(ServeOptions& options, Settings const& settings, storage::Database& database, std::function<Settings()> reread)
      : options_(options),
        settings_(settings),
        reread_(std::move(reread)),
        shared_{options,
                database,
                options.rate_limit ? std::make_shared<routing::RateLimiter>(*options.rate_limit) : nullptr,
                ConnectionCount(options.max_connections),
                AddressLimit(options.max_connections_per_address),
                nullptr},
        tls_(TlsContext::load(options.tls, tickets_)) {
    listen();
    auto const keys = auth::KeyRing::load(options.keys);
    refresher_.emplace(options.key_sources, keys);
    shared_.key_missing = [this](std::string_view kid) { return refresher_->key_missing(kid); };
    keys_ = keys->keys().size();
    for (unsigned index = 0; index < options.workers; ++index) {
      auto sockets = take_of_each(listeners_, index, options.workers);
      workers_.push_back(std::make_unique<Worker>(shared_, refresher_->ring(), std::move(sockets), worker_events()));
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
    notify_ready();
    feed_watchdog();
    introduce();
    main_.run_on();
    for (auto& worker : workers_) worker->join();
    admin_.reset();
    report_refusals(auth::RefusalLog::Clock::time_point::max());
    spdlog::info("stopped");
  }

 private:
  /// Calls `task` after `time`, unless the timer is set again before.
  template <typename Task>
  static void call_after(asio::steady_timer& timer, asio::steady_timer::duration time, Task task) {
    timer.expires_after(time);
    timer.async_wait([task](boost::system::error_code cancelled) {
      if (!cancelled) task();
    });
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

  /// Feeds the watchdog if every event loop has run since the last time, so that one that hangs is noticed even if the
  /// others run.
  void feed_watchdog() {
    if (!watchdog_limit_) return;
    call_after(watchdog_timer_, *watchdog_limit_ / 4, [this] { feed_watchdog(); });
    auto const has_run = [this](auto const& worker) { return worker->metrics().last_turn.value() >= fed_at_; };
    if (!std::ranges::all_of(workers_, has_run)) return;
    systemd_.send("WATCHDOG=1");
    fed_at_ = nanoseconds_of(Clock::now());
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
    if (store.relations.foreign())
      return fmt::format("{} (relations {} and {})", name, store.relations.patterns, store.relations.deployments);
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

  /// `remark` is appended to the line that `systemctl status` shows.
  void notify_ready(std::string_view remark = {}) {
    systemd_.send(fmt::format("READY=1\nSTATUS=Serving on {}{}", names_of(listeners_), remark));
  }

  WorkerEvents worker_events() {
    WorkerEvents events;
    events.drained = [this] {
      asio::post(main_, [this] {
        if (++drained_workers_ == workers_.size()) main_.stop();
      });
    };
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
    auto const limit = std::chrono::microseconds(options_.drain_delay + options_.drain_timeout + time_to_end);
    systemd_.send(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS=Stopping", limit.count()));
    page_.begin_drain();
    if (admin_) admin_->begin_drain();
    for (auto& worker : workers_) worker->announce_drain();
    if (options_.drain_delay.count() == 0) return drain();
    call_after(drain_timer_, options_.drain_delay, [this] { drain(); });
  }

  void drain() {
    systemd_.send("STATUS=Finishing open requests");
    // Sockets that are not accepted from are closed first, so that those of the workers are closed last.
    for (auto& listener : listeners_) listener.close();
    for (auto& worker : workers_) worker->begin_drain();
    call_after(drain_timer_, options_.drain_timeout, [this] {
      spdlog::warn("draining took longer than --drain-timeout: closing the remaining connections");
      cut_everything();
    });
  }

  void await_reload() {
    reload_signal_.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      await_reload();
      // systemd compares its CLOCK_MONOTONIC, which is the steady clock.
      auto const now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
      systemd_.send(
          fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading keys and configuration again", now.count()));
      notify_ready(reload());
    });
  }

  static void warn_of(auth::KeyRing const& keys) {
    for (auto const& line : keys.complaints()) spdlog::warn("{}", line);
  }

  /// Reads everything before it applies anything. Returns the message for the status.
  std::string reload() {
    reopen_log_file();
    Settings fresh;
    try {
      fresh = reread_();
      // Reads all options, so that a value which the next start would refuse is refused now.
      auto options = read_serve_options(fresh);
      auto const keys = auth::KeyRing::load(options.keys);
      if (options.tls.certificates.empty() == (tls_ != nullptr))
        throw TlsError("--tls-cert: HTTPS is switched on or off by a restart only");
      auto trust = KeyRefresher::trust_for(options.key_sources);
      auto tls = TlsContext::load(options.tls, tickets_);
      reload_log_level(fresh);
      refresher_->replace(std::move(options.key_sources), std::move(trust), keys);
      warn_of(*keys);
      if (tls) replace_tls(std::move(tls));
    } catch (std::exception const& error) {
      auto const why = fresh.with_origin(error.what());
      page_.note_reload(false);
      spdlog::error("not reloaded, the old values stay in use: {}", why);
      return fmt::format("; not reloaded: {}", why);
    }
    page_.note_reload(true);
    auto need_restart = fresh.differences(settings_);
    std::erase_if(need_restart, is_reloaded);
    if (need_restart.empty()) {
      spdlog::info("reloaded");
      return {};
    }
    auto const waiting = fmt::format("restart deployd to apply the changed {}", fmt::join(need_restart, ", "));
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

  void replace_tls(std::shared_ptr<TlsContext const> tls) {
    tls_ = std::move(tls);
    for (auto& worker : workers_) worker->replace_tls(tls_);
    page_.replace_tls(tls_);
    watch_certificates();
  }

  /// Logs now and once a day which certificates have expired or expire soon.
  void watch_certificates() {
    if (!tls_) return;
    call_after(certificate_check_, std::chrono::hours(24), [this] { watch_certificates(); });
    for (auto const& line : tls_->complaints(std::chrono::system_clock::now())) spdlog::warn("{}", line);
  }

  void watch_log() {
    call_after(log_check_, std::chrono::seconds(5), [this] {
      watch_log();
      spdlog::default_logger_raw()->flush();  // reports suppressed and lost lines: see LogSink
      report_refusals(auth::RefusalLog::Clock::now());
      report_lost_access_lines();
    });
  }

  /// Logs the number of refused tokens that had no log line of their own, in windows that have ended by `now`.
  void report_refusals(auth::RefusalLog::Clock::time_point now) {
    for (auto const& [why, times] : shared_.refusals.take_ended(now))
      spdlog::info("tokens refused: {} more since the last such line: the token {}", times, auth::in_words(why));
  }

  void cut_everything() {
    for (auto& worker : workers_) worker->stop();
  }

  ServeOptions const& options_;
  Settings const& settings_;
  std::function<Settings()> reread_;
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
  std::optional<std::chrono::microseconds> watchdog_limit_ = watchdog_limit();
  asio::steady_timer watchdog_timer_{main_};
  std::uint64_t fed_at_ = 0;  // the steady clock, in nanoseconds
  bool draining_ = false;
  std::size_t keys_ = 0;  // for JWTs, at the start
  std::size_t drained_workers_ = 0;
  std::vector<Listener> listeners_;
  std::vector<PassedSocket> passed_admin_;  // until admin_ is created from them
  Endpoints admin_endpoints_;               // likewise
  std::optional<KeyRefresher> refresher_;   // set by the constructor; destroyed after the workers
  std::vector<std::unique_ptr<Worker>> workers_;
  MetricsPage page_{options_, shared_.database, workers_};
  std::optional<Admin> admin_;
};

}  // namespace

int serve(ServeOptions const& given, Settings const& settings, std::function<Settings()> reread) {
  std::signal(SIGPIPE, SIG_IGN);
  auto options = given;
  if (options.workers == 0) options.workers = usable_cores();
  auto const needed = needed_descriptors(options);
  allow_descriptors(needed, 4 * needed);
  options.database.workers = options.workers;
  std::unique_ptr<storage::Database> database;
  wait_for_store({.limit = options.wait_for_store, .for_schema = true},
                 [&] { database = storage::open_database(options.database); });
  Server(options, settings, *database, std::move(reread)).run();
  return EXIT_SUCCESS;
}

}  // namespace deployd::server
