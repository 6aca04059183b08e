#include "server/metrics/page.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/refusal.hpp"
#include "server/keys/key_refresher.hpp"
#include "server/log/access_log_file.hpp"
#include "server/log/output.hpp"
#include "server/metrics/exposition.hpp"
#include "server/metrics/process_usage.hpp"
#include "server/sync/mirror_record.hpp"
#include "server/tls/context.hpp"
#include "server/worker.hpp"

namespace deployd::server {
namespace {

using base::Counter;
using base::DurationReading;
using Workers = std::vector<std::unique_ptr<Worker>>;

// The parts of a worker that count.
constexpr auto requests = &Worker::request_metrics;
constexpr auto connections = &Worker::metrics;
constexpr auto cache = &Worker::cache_metrics;
constexpr auto tokens = &Worker::token_checks;
constexpr auto queries = &Worker::query_metrics;

/// Adds up a counter of all workers: `part` of a worker has `member`, a pointer to it or a function that returns it.
template <typename Part, typename Member>
std::uint64_t sum(Workers const& workers, Part part, Member member) {
  std::uint64_t total = 0;
  for (auto const& worker : workers) total += std::invoke(member, std::invoke(part, *worker)).value();
  return total;
}

/// The same for a histogram.
template <typename Part, typename Member>
DurationReading sum_durations(Workers const& workers, Part part, Member member) {
  DurationReading total;
  for (auto const& worker : workers) total += std::invoke(member, std::invoke(part, *worker)).read();
  return total;
}

storage::PoolMetrics const& pool_of(Worker const& worker) {
  return *worker.pool_metrics();
}

double in_seconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double>(time).count();
}

std::uint64_t seconds_since_epoch() noexcept {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

constexpr auto method_names = std::to_array<std::string_view>({"GET", "HEAD", "OPTIONS", "other"});
static_assert(method_names.size() == routing::method_count);

bool served_by_api(routing::RouteLabel label) noexcept {
  return label == routing::no_route || serves(routing::routes()[label].surface, routing::Surface::api_and_page);
}

void write_requests(Exposition& out, Workers const& workers) {
  out.begin("deployd_http_requests_total", "Requests answered, by route, method and status.");
  for (routing::RouteLabel route = 0; route < routing::route_labels; ++route) {
    if (!served_by_api(route)) continue;
    for (std::size_t method = 0; method < routing::method_count; ++method) {
      for (std::size_t status = 0; status < routing::counted_statuses.size(); ++status) {
        auto const count = sum(
            workers, requests, [&](auto const& part) -> auto& { return part.answered[route][method][status]; });
        // Successful GETs and server errors are shown from the start, so that the first one is visible as an increase.
        auto const code = routing::counted_statuses[status];
        bool const always = method == 0 && ((code == 200 && route != routing::no_route) || code == 500 || code == 503);
        if (count == 0 && !always) continue;
        out.sample(
            count,
            {{"route", routing::to_string(route)}, {"method", method_names[method]}, {"status", std::to_string(code)}});
      }
    }
  }

  out.begin_histogram(
      "deployd_http_request_duration_seconds",
      "Time from the complete head of a request until the kernel has accepted its response; pipelined requests "
      "of one read are timed together.");
  for (routing::RouteLabel route = 0; route < routing::route_labels; ++route) {
    if (!served_by_api(route)) continue;
    out.sample(sum_durations(
                   workers, requests, [&](auto const& part) -> auto& { return part.durations[route]; }),
               {{"route", routing::to_string(route)}});
  }

  out.begin("deployd_http_framing_errors_total", "Malformed requests, by status of the response.");
  for (std::size_t status = 1; status < routing::unread_statuses.size(); ++status) {
    out.sample(sum(
                   workers, requests, [&](auto const& part) -> auto& { return part.unread[status]; }),
               {{"status", std::to_string(routing::unread_statuses[status])}});
  }

  out.single("deployd_http_shed_total", "Requests refused with 503 because the event loop was overloaded.",
             sum(workers, requests, &routing::RequestMetrics::shed));
  out.single("deployd_http_rate_limited_total", "Requests refused because of --rate-limit.",
             sum(workers, requests, &routing::RequestMetrics::rate_limited));
}

void write_connections(Exposition& out, Workers const& workers, ServeOptions const& options) {
  out.begin("deployd_connections", "Open connections by state, sampled twice a second.");
  for (std::size_t phase = 0; phase < connection_phases; ++phase) {
    out.sample(sum(
                   workers, connections, [&](auto const& part) -> auto& { return part.connections[phase]; }),
               {{"state", to_string(static_cast<ConnectionPhase>(phase))}});
  }
  out.single("deployd_connections_max",
             "Limit on open connections: --max-connections, or less under a low limit on descriptors.",
             std::uint64_t{options.max_connections});
  out.single("deployd_connections_accepted_total", "Connections accepted.",
             sum(workers, connections, &WorkerMetrics::accepted));
  out.single("deployd_connections_refused_total", "Connections refused because of --max-connections-per-address.",
             sum(workers, connections, &WorkerMetrics::refused));
  out.single("deployd_http_received_bytes_total", "Bytes read from clients.",
             sum(workers, connections, &WorkerMetrics::bytes_received));
  out.single("deployd_http_sent_bytes_total", "Bytes sent to clients.",
             sum(workers, connections, &WorkerMetrics::bytes_sent));
}

void write_tls(Exposition& out, Workers const& workers, TlsContext const* tls) {
  if (tls == nullptr) return;
  out.begin("deployd_tls_handshakes_total", "TLS handshakes, by result.");
  for (std::size_t result = 0; result < tls_handshake_results; ++result) {
    out.sample(sum(
                   workers, connections, [&](auto const& part) -> auto& { return part.tls_handshakes[result]; }),
               {{"result", tls_handshake_names[result]}});
  }
  out.begin("deployd_tls_certificate_expiry_timestamp_seconds",
            "Expiry of certificates in seconds since the epoch, by file.");
  for (auto const& [file, end] : tls->expiries())
    out.sample(in_seconds(end.time_since_epoch()), {{"certificate", file}});
}

void write_cache(Exposition& out, Workers const& workers, ServeOptions const& options) {
  auto const of_all = [&](Counter routing::CacheMetrics::*member) { return sum(workers, cache, member); };
  out.single("deployd_cache_hits_total", "Requests answered from the response cache.",
             of_all(&routing::CacheMetrics::hits));
  out.single("deployd_cache_misses_total", "Requests for which the cache had no valid response.",
             of_all(&routing::CacheMetrics::misses));
  out.single("deployd_cache_evictions_total", "Responses evicted from the cache.",
             of_all(&routing::CacheMetrics::evictions));
  out.single("deployd_cache_entries", "Responses in the cache.", of_all(&routing::CacheMetrics::entries));
  out.single("deployd_cache_bytes", "Memory used by the cache.", of_all(&routing::CacheMetrics::bytes));
  out.single("deployd_cache_max_bytes", "Memory limit of the cache: --cache-bytes.",
             std::uint64_t{options.cache_bytes});
}

void write_token_checks(Exposition& out, Workers const& workers) {
  out.begin("deployd_token_checks_total",
            "Checks of bearer tokens by result: recalled, accepted, or the reason of the refusal.");
  // For every response from the cache the token was recalled.
  auto const warm = sum(workers, cache, &routing::CacheMetrics::hits);
  auto const others = sum(workers, tokens, &auth::TokenChecks::recalled_without_hit);
  out.sample(warm + others, {{"result", "recalled"}});
  out.sample(sum(workers, tokens, &auth::TokenChecks::accepted), {{"result", "accepted"}});
  for (std::size_t reason = 0; reason < auth::refusals; ++reason) {
    auto name = std::string(to_string(static_cast<auth::Refusal>(reason)));
    std::ranges::replace(name, ' ', '_');
    out.sample(sum(
                   workers, tokens, [&](auto const& part) -> auto& { return part.refused[reason]; }),
               {{"result", name}});
  }
}

void write_key_sources(Exposition& out, KeyRefresher const* refresher) {
  if (refresher == nullptr) return;
  auto const sources = refresher->statuses();
  if (sources.empty()) return;
  out.begin("deployd_key_source_refreshes_total", "Attempts to fetch a key set, by source and result.");
  for (auto const& source : sources) {
    out.sample(source.successes, {{"source", source.name}, {"result", "success"}});
    out.sample(source.failures, {{"source", source.name}, {"result", "failure"}});
  }
  out.begin("deployd_key_source_keys", "Keys of a source that are in use.");
  for (auto const& source : sources) out.sample(std::uint64_t{source.keys}, {{"source", source.name}});
  out.begin("deployd_key_source_age_seconds",
            "Time since the key set of a source was last fetched or confirmed; missing before the first time.");
  auto const now = std::chrono::system_clock::now();
  for (auto const& source : sources)
    if (source.last_success)
      out.sample(std::max(0.0, in_seconds(now - *source.last_success)), {{"source", source.name}});
}

void write_mirror(Exposition& out, std::optional<std::string> const& directory) {
  auto const record = directory ? read_mirror_record(*directory) : std::nullopt;
  if (!record) return;
  out.begin("deployd_mirror_last_success_timestamp_seconds",
            "Time when `deployd sync` last renewed the mirror, in seconds since the epoch; 0 if it never did.");
  out.sample(static_cast<std::uint64_t>(record->last_success.time_since_epoch().count()), {{"source", record->source}});
}

void write_left_out_rows(Exposition& out, storage::LeftOutRows const& left_out) {
  out.begin("deployd_store_rows_left_out_total",
            "Rows left out of responses because a column holds no 64-bit integer, by table and column.");
  for (std::size_t index = 0; index < storage::bad_columns; ++index) {
    auto const column = static_cast<storage::BadColumn>(index);
    out.sample(left_out.count(column), {{"table", is_of_patterns(column) ? "patterns" : "deployments"},
                                        {"column", storage::column_name(column)}});
  }
}

void write_queries(Exposition& out, Workers const& workers) {
  out.begin_histogram("deployd_store_query_duration_seconds",
                      "Duration of queries by kind, including the wait for a session.");
  for (std::size_t kind = 0; kind < storage::query_kinds; ++kind) {
    out.sample(sum_durations(
                   workers, queries, [&](auto const& part) -> auto& { return part.durations[kind]; }),
               {{"kind", to_string(static_cast<storage::QueryKind>(kind))}});
  }
  out.begin("deployd_store_query_failures_total", "Failed queries by kind and reason.");
  for (std::size_t kind = 0; kind < storage::query_kinds; ++kind) {
    for (std::size_t reason = 0; reason < storage::query_failures; ++reason) {
      out.sample(sum(
                     workers, queries, [&](auto const& part) -> auto& { return part.failures[kind][reason]; }),
                 {{"kind", to_string(static_cast<storage::QueryKind>(kind))},
                  {"reason", to_string(static_cast<storage::QueryFailure>(reason))}});
    }
  }
}

void write_pool(Exposition& out, Workers const& workers, ServeOptions const& options) {
  if (workers.empty() || workers.front()->pool_metrics() == nullptr) return;
  auto const of_all = [&](Counter storage::PoolMetrics::*member) { return sum(workers, pool_of, member); };
  out.single("deployd_store_pool_max_sessions", "Limit on PostgreSQL sessions: --store-sessions.",
             std::uint64_t{std::max(options.database.sessions, workers.size())});
  out.single("deployd_store_pool_sessions", "Open PostgreSQL sessions, without those of long lists.",
             of_all(&storage::PoolMetrics::sessions));
  out.single("deployd_store_pool_busy_sessions", "Open PostgreSQL sessions that are in use.",
             of_all(&storage::PoolMetrics::busy));
  out.single("deployd_store_pool_queue_length", "Queries waiting for a session.",
             of_all(&storage::PoolMetrics::queued));
  out.single("deployd_store_pool_wait_seconds", "Time that queries waited for a session.",
             sum_durations(workers, pool_of, &storage::PoolMetrics::waits));
}

void write_store(Exposition& out, storage::Database const& database, Worker const* prober) {
  auto const state = database.state();
  out.begin("deployd_store_info", "The kind of store and how its changes are detected; always 1.");
  out.sample(std::uint64_t{1}, {{"backend", state.backend}, {"change_feed", state.changes.mode}});
  out.single("deployd_store_up", "1 while the store answers a trivial query, sent once a second.",
             prober == nullptr ? std::uint64_t{0} : prober->metrics().store_up.value());
  out.single("deployd_store_change_feed_up",
             "1 while changes of the store are detected, so that responses can be cached.",
             std::uint64_t{state.changes.up});
  out.single("deployd_store_change_feed_lag_seconds",
             "All changes committed longer ago than this have been detected; valid while the feed is up.",
             in_seconds(state.changes.lag));
  out.single("deployd_store_changes_total", "Change notifications from PostgreSQL.", state.changes.changes);
}

void write_loops(Exposition& out, Workers const& workers) {
  out.single("deployd_workers", "Event loops, one thread each.", std::uint64_t{workers.size()});
  out.single("deployd_event_loop_lag_seconds", "Delay of timers on the event loops.",
             sum_durations(workers, connections, &WorkerMetrics::loop_lag));
  auto oldest = std::chrono::nanoseconds(Clock::now().time_since_epoch());
  auto const now = oldest;
  for (auto const& worker : workers)
    oldest = std::min(oldest, std::chrono::nanoseconds(worker->metrics().last_turn.value()));
  out.single("deployd_event_loop_silence_seconds",
             "Time since the slowest event loop last ran a timer; normally below 1.", in_seconds(now - oldest));
}

void write_reloads(Exposition& out, ReloadRecord const& reloads) {
  out.begin("deployd_reloads_total", "Reloads by SIGHUP, by result.");
  out.sample(reloads.succeeded.value(), {{"result", "success"}});
  out.sample(reloads.failed.value(), {{"result", "failure"}});
  out.single("deployd_last_reload_successful", "0 if the last reload failed and the old values stayed.",
             reloads.last_succeeded.value());
  out.single("deployd_last_reload_success_timestamp_seconds",
             "Time of the last successful reload or start, in seconds since the epoch.", reloads.last_success.value());
}

void write_log_output(Exposition& out) {
  out.single("deployd_log_lines_lost_total", "Lines of the log and the access log that could not be written.",
             log_output().lost().count + lost_access_lines());
}

void write_process(Exposition& out) {
  auto const usage = read_process_usage();
  out.single("process_cpu_seconds_total", "User and system time of all threads.", usage.cpu_seconds);
  out.single("process_resident_memory_bytes", "Resident memory.", usage.resident_bytes);
  out.single("process_virtual_memory_bytes", "Virtual memory.", usage.virtual_bytes);
  out.single("process_open_fds", "Open file descriptors.", usage.open_descriptors);
  out.single("process_max_fds", "Limit on open file descriptors.", usage.max_descriptors);
  out.single("process_threads", "Threads.", usage.threads);
  out.single("process_start_time_seconds", "Start time of the process in seconds since the epoch.",
             usage.start_seconds);
}

}  // namespace

MetricsPage::MetricsPage(ServeOptions const& options, storage::Database const& database, Workers const& workers)
    : options_(options), database_(database), workers_(workers) {
  reloads_.last_succeeded.set(1);
  reloads_.last_success.set(seconds_since_epoch());
}

void MetricsPage::note_reload(bool succeeded) noexcept {
  (succeeded ? reloads_.succeeded : reloads_.failed).add();
  reloads_.last_succeeded.set(succeeded ? 1 : 0);
  if (succeeded) reloads_.last_success.set(seconds_since_epoch());
}

void MetricsPage::replace_tls(std::shared_ptr<TlsContext const> tls) {
  std::scoped_lock const lock(tls_mutex_);
  tls_ = std::move(tls);
}

std::shared_ptr<TlsContext const> MetricsPage::tls() const {
  std::scoped_lock const lock(tls_mutex_);
  return tls_;
}

std::string MetricsPage::render(routing::MetricsFormat format) const {
  Exposition out(format);
  out.begin("deployd_build_info", "Version of the running program; always 1.");
  out.sample(std::uint64_t{1}, {{"version", DEPLOYD_VERSION}});
  out.single("deployd_draining", "1 while the server is draining.", draining_.value());
  write_requests(out, workers_);
  write_connections(out, workers_, options_);
  write_tls(out, workers_, tls().get());
  write_cache(out, workers_, options_);
  write_token_checks(out, workers_);
  write_key_sources(out, refresher_);
  write_store(out, database_, prober_);
  write_queries(out, workers_);
  write_left_out_rows(out, database_.left_out_rows());
  write_mirror(out, options_.key_sources.state_directory);
  write_pool(out, workers_, options_);
  write_loops(out, workers_);
  write_reloads(out, reloads_);
  write_log_output(out);
  write_process(out);
  return std::move(out).finish();
}

}  // namespace deployd::server
