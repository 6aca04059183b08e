// From a request to its answer: who may ask, what is asked, and in which order things are refused.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>

#include "auth/authenticator.hpp"
#include "routing/answer_cache.hpp"
#include "routing/cors.hpp"
#include "routing/handlers.hpp"
#include "routing/loop_load.hpp"
#include "routing/metrics_source.hpp"
#include "routing/output.hpp"
#include "routing/rate_limit_fields.hpp"
#include "routing/rate_limiter.hpp"
#include "routing/request.hpp"
#include "routing/request_metrics.hpp"
#include "routing/router.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

struct ApiOptions {
  CorsPolicy cors;
  std::size_t cache_bytes;                        // of this worker
  std::shared_ptr<RateLimiter> limiter;           // null: no limit
  LoopLoad* load = nullptr;                       // null: requests are never too many
  MetricsSource const* metrics_source = nullptr;  // null: the API; else what --admin-listen serves, with these metrics
};

/// How a request was answered on the warm path.
struct WarmAnswer {
  unsigned status = 0;  // 0: it was not, and nothing has happened
  RouteLabel route = no_route;
  auth::Identity const* identity = nullptr;  // whose token it was; valid until the next request
};

/// The API as one worker serves it. Not to be shared between threads.
class Api {
 public:
  /// `authenticator` and `store` must outlive this.
  Api(ApiOptions options, auth::Authenticator& authenticator, storage::Store& store);

  /// The warm path: answers a request whose token was verified before and whose answer is kept and still true.
  /// Otherwise the request has to take the long way.
  WarmAnswer answer_warm(Request const& request, Moment const& moment, Output& out);

  /// Answers a request that is not on the warm path with a 503 if the loop has too much to do; else nothing has
  /// happened.
  WarmAnswer answer_overload(Request const& request, Moment const& moment, Output& out);

  /// The long way. Always leaves one whole answer in the exchange's output (or sent, or the exchange aborted).
  /// `request`, `moment` and `exchange` must live until it is done.
  boost::asio::awaitable<void> answer(Request const& request, Moment const& moment, Exchange& exchange);

  /// Answers a request that could not be read: 400, 408, 413, 414, 417, 431, 501, 505. The connection ends with it.
  void answer_bad_framing(HttpError const& error, Method method, Moment const& moment, Output& out);

  /// From now on `/readyz` says 503.
  void begin_drain() noexcept { handlers_.begin_drain(); }

  /// To be told of every request that was answered, and when it was sent: see RequestBatch. Read on any thread.
  RequestMetrics& metrics() noexcept { return metrics_; }
  RequestMetrics const& metrics() const noexcept { return metrics_; }
  CacheMetrics const& cache_metrics() const noexcept { return cache_.metrics(); }

 private:
  boost::asio::awaitable<void> dispatch(Request const& request, Moment const& moment, Exchange& exchange);
  /// Whose token it is, if it was verified before. The pointers are valid until the next question to the authenticator.
  auth::Identity const* recall(Request const& request, Moment const& moment) noexcept;
  /// Whose token it is; null when it is not good, which has then been answered.
  boost::asio::awaitable<auth::Identity const*> authenticate(Request const& request, Moment const& moment,
                                                             Exchange& exchange);
  /// Answers a request with a token that is not good, and logs why.
  void refuse_token(auth::Refused const& refused, Request const& request, Moment const& moment, Exchange& exchange);
  /// The request as it is to be answered, with its `limit_lines`, which `fields` holds; nothing when its token has made
  /// too many, which has then been answered.
  std::optional<Request> admit(auth::Identity const& identity, Request const& request, Moment const& moment,
                               Output& out, RateLimitFields& fields);
  WarmAnswer answer_warm_within_limit(auth::Identity const& identity,
                                      std::shared_ptr<RenderedAnswer const> const& answer, Request const& request,
                                      Moment const& moment, Output& out);
  void refuse(HttpError const& error, Request const& request, Moment const& moment, Exchange& exchange);

  ApiOptions options_;
  auth::Authenticator& authenticator_;
  storage::Store& store_;
  Surface surface_;
  AnswerCache cache_;
  Handlers handlers_;
  RequestMetrics metrics_;
};

}  // namespace deployd::routing
