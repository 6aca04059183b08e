// What /metrics shows: the counters of all workers summed, the store's state and the process'.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "routing/metrics_source.hpp"
#include "server/reload_record.hpp"
#include "server/serve.hpp"
#include "storage/database.hpp"

namespace deployd::server {

class Worker;

/// Every metric stands in docs/metrics.md, which a test compares with this page.
class MetricsPage final : public routing::MetricsSource {
 public:
  /// All of them must outlive this, and what they are is complete before the first `render`.
  MetricsPage(ServeOptions const& options, storage::Database const& database,
              std::vector<std::unique_ptr<Worker>> const& workers, ReloadRecord const& reloads);

  /// Whose worker probes the store: there is none before this. Set while nothing renders.
  void set_prober(Worker const* prober) noexcept { prober_ = prober; }

  /// From any thread: the process is about to stop.
  void begin_drain() noexcept { draining_.set(1); }

  std::string render(routing::MetricsFormat format) const override;

 private:
  ServeOptions const& options_;
  storage::Database const& database_;
  std::vector<std::unique_ptr<Worker>> const& workers_;
  ReloadRecord const& reloads_;
  Worker const* prober_ = nullptr;
  storage::Counter draining_;
};

}  // namespace deployd::server
