// The handlers of the routes.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "routing/cors.hpp"
#include "routing/metrics_source.hpp"
#include "routing/output.hpp"
#include "routing/page/page.hpp"
#include "routing/prepared_forms.hpp"
#include "routing/query.hpp"
#include "routing/request.hpp"
#include "routing/response.hpp"
#include "routing/store_probe.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

class ListRows;

/// A request on its way to a handler: authenticated if needed, with method GET or HEAD.
struct Call {
  Request const& request;
  Moment const& moment;
  Exchange& exchange;          // for streams
  std::uint64_t token;         // Identity::key; 0 if no token is needed
  std::string_view id;         // the path parameter
  bool id_well_formed = true;  // false: a bad escape or invalid UTF-8
  std::string_view query;      // raw; empty if there is none
};

/// The handlers of one worker.
class Handlers {
 public:
  /// All references must outlive this object. `metrics` may be null if /metrics is not served, and `page` empty if the
  /// page is not served.
  Handlers(storage::Store& store, CorsPolicy const& cors, MetricsSource const* metrics, PreparedForms description,
           PageAnswers page)
      : store_(store),
        probe_(store),
        cors_(cors),
        metrics_(metrics),
        description_(std::move(description)),
        page_(std::move(page)) {}

  /// GET /api/v1/deployments
  boost::asio::awaitable<Response> find_deployments(Call& call);

  /// GET /api/v1/deployments/{id}
  boost::asio::awaitable<Response> get_deployment(Call& call);

  /// GET /api/v1/patterns
  boost::asio::awaitable<Response> find_patterns(Call& call);

  /// GET /api/v1/patterns/{id}
  boost::asio::awaitable<Response> get_pattern(Call& call);

  /// GET /openapi.json
  boost::asio::awaitable<Response> describe_api(Call& call);

  /// GET /healthz
  boost::asio::awaitable<Response> report_health(Call& call);

  /// GET /readyz
  boost::asio::awaitable<Response> report_readiness(Call& call);

  /// GET /metrics
  boost::asio::awaitable<Response> report_metrics(Call& call);

  /// GET /, /favicon.ico and /robots.txt
  boost::asio::awaitable<Response> send_page(Call& call);
  boost::asio::awaitable<Response> send_icon(Call& call);
  boost::asio::awaitable<Response> send_robots(Call& call);

  /// Makes /readyz report that the server is about to stop.
  void begin_drain() noexcept { draining_ = true; }

 private:
  boost::asio::awaitable<Response> find(Call& call, storage::Table table);
  /// Reads a list through a cursor. A list that is too long to be cached is streamed if `streamed`; otherwise returns
  /// nothing for it.
  boost::asio::awaitable<std::optional<Response>> read_through_cursor(Call& call, storage::Filter const& filter,
                                                                      bool streamed);
  boost::asio::awaitable<void> stream(Call& call, storage::Cursor& cursor, ListRows& rows, std::string& body,
                                      Coding coding);

  storage::Store& store_;
  StoreProbe probe_;
  CorsPolicy const& cors_;
  MetricsSource const* metrics_;
  PreparedForms description_;  // of the API, as OpenAPI
  PageAnswers page_;
  bool draining_ = false;
};

}  // namespace deployd::routing
