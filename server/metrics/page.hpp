// What /metrics shows: the counters of all workers summed, the store's state and the process'.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "routing/metrics_source.hpp"
#include "server/metrics/reload_record.hpp"
#include "server/options/serve_options.hpp"
#include "storage/database.hpp"

namespace deployd::server {

class TlsContext;
class Worker;

/// Every metric stands in docs/metrics.md, which a test compares with this page.
class MetricsPage final : public routing::MetricsSource {
 public:
  /// All of them must outlive this, and what they are is complete before the first `render`.
  MetricsPage(ServeOptions const& options, storage::Database const& database,
              std::vector<std::unique_ptr<Worker>> const& workers, ReloadRecord const& reloads);

  /// Whose worker probes the store: there is none before this. Set while nothing renders.
  void set_prober(Worker const* prober) noexcept { prober_ = prober; }

  /// From any thread: connections are accepted with this from now on; before the first call TLS is off.
  void replace_tls(std::shared_ptr<TlsContext const> tls);

  /// From any thread: the process is about to stop.
  void begin_drain() noexcept { draining_.set(1); }

  std::string render(routing::MetricsFormat format) const override;

 private:
  std::shared_ptr<TlsContext const> tls() const;

  ServeOptions const& options_;
  storage::Database const& database_;
  std::vector<std::unique_ptr<Worker>> const& workers_;
  ReloadRecord const& reloads_;
  Worker const* prober_ = nullptr;
  mutable std::mutex tls_mutex_;
  std::shared_ptr<TlsContext const> tls_;
  base::Counter draining_;
};

}  // namespace deployd::server
