// From a request to its response: authentication, routing, and the order of errors.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "auth/authenticator.hpp"
#include "routing/answer_cache.hpp"
#include "routing/cors.hpp"
#include "routing/handlers.hpp"
#include "routing/loop_load.hpp"
#include "routing/metrics_source.hpp"
#include "routing/output.hpp"
#include "routing/rate_limiter.hpp"
#include "routing/request.hpp"
#include "routing/request_metrics.hpp"
#include "routing/response.hpp"
#include "routing/router.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

struct ApiOptions {
  CorsPolicy cors;
  std::size_t cache_bytes;                        // of this worker
  std::shared_ptr<RateLimiter> limiter;           // null: no limit
  LoopLoad* load = nullptr;                       // null: overload is not detected
  MetricsSource const* metrics_source = nullptr;  // null: serve the API; otherwise the routes of --admin-listen, with
                                                  // these metrics
  bool subjects = false;                          // the access log needs the owners of tokens
  bool page = false;                              // serve the page at `/`
};

/// The outcome of a request, for metrics and the access log.
struct Answered {
  unsigned status = 0;
  RouteLabel route = no_route;
  std::optional<auth::Refusal> refusal = std::nullopt;  // of a 401
  std::string subject = {};                             // the owner of the token; empty if there is none
};

/// The same for a request that was answered immediately.
struct AnsweredAtOnce {
  unsigned status = 0;  // 0: it was not answered
  RouteLabel route = no_route;
  auth::Identity const* identity = nullptr;  // the owner of the token; valid until the next request
};

/// The API as served by one worker. Not to be shared between threads.
class Api {
 public:
  /// `authenticator` and `store` must outlive this object.
  Api(ApiOptions options, auth::Authenticator& authenticator, storage::Store& store);

  /// Answers a request that needs neither waiting nor rendering: its token was verified before and its response is in
  /// the cache (the warm path), or the event loop is overloaded. Checks the load only if `look_at_load`.
  AnsweredAtOnce answer_at_once(Request const& request, Moment const& moment, Output& out, bool look_at_load);

  /// Answers a request that `answer_at_once`, called just before, has not answered. Appends one whole response to the
  /// output of `exchange`, or sends it or aborts the exchange. `request`, `moment` and `exchange` must live until the
  /// call has completed.
  boost::asio::awaitable<Answered> answer(Request const& request, Moment const& moment, Exchange& exchange);

  /// Answers a request that could not be parsed: 400, 408, 413, 414, 417, 431, 501, 505. The connection is closed after
  /// it.
  void answer_bad_framing(HttpError const& error, Method method, Moment const& moment, Output& out);

  /// Makes `/readyz` return 503 from now on.
  void begin_drain() noexcept { handlers_.begin_drain(); }

  /// Written by the connections: see RequestBatch. Read on any thread.
  RequestMetrics& metrics() noexcept { return metrics_; }
  RequestMetrics const& metrics() const noexcept { return metrics_; }
  CacheMetrics const& cache_metrics() const noexcept { return cache_.metrics(); }

 private:
  struct Asked;

  bool is_overloaded(Request const& request, Moment const& moment) noexcept;
  boost::asio::awaitable<Response> respond(Asked& asked);
  Response refuse_credentials(Asked& asked);
  Response refuse_token(auth::Refused const& refused, Asked& asked);
  /// Counts a request of a token against its limit: adds the lines of `fields` to the request, and returns a 429 if it
  /// exceeds the limit.
  std::optional<HttpError> count(auth::Identity const& identity, Request& request, Moment const& moment,
                                 RateLimitFields& fields);
  /// Applies the wanted coding to a representation, or replaces it by one from the cache if it is there meanwhile.
  boost::asio::awaitable<void> encode(Response& response, Asked const& asked);
  unsigned append_within_limit(std::shared_ptr<RenderedAnswer const> const& kept, Request counted, Moment const& moment,
                               Output& out);
  /// Appends a response. Returns its status.
  unsigned append(Response&& response, Asked& asked);
  unsigned append(ServerFault const& fault, Asked& asked);

  ApiOptions options_;
  auth::Authenticator& authenticator_;
  storage::Store& store_;
  Surface surface_;
  AnswerCache cache_;
  Handlers handlers_;
  RequestMetrics metrics_;
  bool encoding_ = false;  // a response is being compressed
  // What `answer_at_once` has determined about a request that it did not answer.
  auth::Identity const* recalled_ = nullptr;
  std::optional<std::uint64_t> data_version_;
};

}  // namespace deployd::routing
