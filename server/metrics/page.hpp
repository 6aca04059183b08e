// The content of /metrics: the counters of all workers added up, and the state of the store and the process.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/counter.hpp"
#include "routing/metrics_source.hpp"
#include "server/options/serve_options.hpp"
#include "storage/database.hpp"

namespace deployd::server {

class KeyRefresher;
class TlsContext;
class Worker;

/// The outcome of reloads: written by the main thread, read by any.
struct ReloadRecord {
  base::Counter succeeded;
  base::Counter failed;
  base::Counter last_succeeded;  // 1 if the last attempt succeeded, or if there was none
  base::Counter last_success;    // seconds since the epoch; the start counts as one
};

/// Every metric is documented in docs/metrics.md, which a test compares with this page.
class MetricsPage final : public routing::MetricsSource {
 public:
  /// All arguments must outlive this object, and their contents must be complete before the first `render`.
  MetricsPage(ServeOptions const& options, storage::Database const& database,
              std::vector<std::unique_ptr<Worker>> const& workers);

  /// Sets the worker that probes the store; there is none before this call. Must not be called while rendering.
  void set_prober(Worker const* prober) noexcept { prober_ = prober; }

  /// Sets whose key sources are shown, which must outlive this object; none before this call. Must not be called while
  /// rendering.
  void set_key_refresher(KeyRefresher const* refresher) noexcept { refresher_ = refresher; }

  /// Sets the TLS context for new connections; before the first call TLS is off. Safe to call from any thread.
  void replace_tls(std::shared_ptr<TlsContext const> tls);

  /// Records that the process is about to stop. Safe to call from any thread.
  void begin_drain() noexcept { draining_.set(1); }

  /// Records the outcome of a reload.
  void note_reload(bool succeeded) noexcept;

  std::string render(routing::MetricsFormat format) const override;

 private:
  std::shared_ptr<TlsContext const> tls() const;

  ServeOptions const& options_;
  storage::Database const& database_;
  std::vector<std::unique_ptr<Worker>> const& workers_;
  Worker const* prober_ = nullptr;
  KeyRefresher const* refresher_ = nullptr;
  mutable std::mutex tls_mutex_;
  std::shared_ptr<TlsContext const> tls_;
  base::Counter draining_;
  ReloadRecord reloads_;
};

}  // namespace deployd::server
