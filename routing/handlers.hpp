// What each route answers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/answer_cache.hpp"
#include "routing/cors.hpp"
#include "routing/http_error.hpp"
#include "routing/metrics_source.hpp"
#include "routing/output.hpp"
#include "routing/query.hpp"
#include "routing/rendered_answer.hpp"
#include "routing/request.hpp"
#include "routing/store_probe.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

class JsonRows;
struct ServerFault;

/// One request on its way to a handler: authenticated where that is asked for, its method GET or HEAD.
struct Call {
  Request const& request;
  Moment const& moment;
  Exchange& exchange;
  RouteLabel route;
  std::uint64_t token;         // Identity::key; 0 where none is asked for
  std::string_view id;         // the path parameter
  bool id_well_formed = true;  // false: a bad escape or no UTF-8
  std::string_view query;      // raw; empty when there is none
};

/// The handlers of one worker.
class Handlers {
 public:
  /// All of them must outlive this. `metrics` may be null where /metrics is not served.
  Handlers(storage::Store& store, AnswerCache& cache, CorsPolicy const& cors, MetricsSource const* metrics)
      : store_(store), probe_(store), cache_(cache), cors_(cors), metrics_(metrics) {}

  /// GET /api/v1/deployments
  boost::asio::awaitable<void> find_deployments(Call& call);

  /// GET /api/v1/deployments/{id}
  boost::asio::awaitable<void> get_deployment(Call& call);

  /// GET /healthz
  boost::asio::awaitable<void> report_health(Call& call);

  /// GET /readyz
  boost::asio::awaitable<void> report_readiness(Call& call);

  /// GET /metrics
  boost::asio::awaitable<void> report_metrics(Call& call);

  /// From now on the server is not ready: it is about to stop.
  void begin_drain() noexcept { draining_ = true; }

 private:
  /// Streams a list that is too long to be kept, if `streamed`; otherwise leaves it unanswered and returns false.
  boost::asio::awaitable<bool> answer_through_cursor(Call& call, storage::Filter const& filter, bool streamed,
                                                     std::optional<std::uint64_t> data_version);
  boost::asio::awaitable<void> stream(Call& call, storage::Cursor& cursor, JsonRows& rows, std::string& body);
  void answer(Call& call, std::string_view body, std::string_view link, std::optional<std::uint64_t> data_version,
              std::string_view content_type = json_type);
  void refuse(Call& call, HttpError const& error);
  void refuse(Call& call, boost::system::error_code store_failure);
  void fail(Call& call, ServerFault const& fault);

  storage::Store& store_;
  StoreProbe probe_;
  AnswerCache& cache_;
  CorsPolicy const& cors_;
  MetricsSource const* metrics_;
  bool draining_ = false;
};

}  // namespace deployd::routing
