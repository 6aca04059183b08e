#include "routing/api.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "routing/server_fault.hpp"
#include "routing/text_encoding.hpp"

namespace deployd::routing {

using boost::asio::awaitable;

Api::Api(ApiOptions options, auth::Authenticator& authenticator, storage::Store& store)
    : options_(std::move(options)),
      authenticator_(authenticator),
      store_(store),
      surface_(options_.metrics_source == nullptr ? Surface::api : Surface::admin),
      cache_(options_.cache_bytes),
      handlers_(store_, cache_, options_.cors, options_.metrics_source) {}

WarmAnswer Api::answer_warm(Request const& request, Moment const& moment, Output& out) {
  if (request.method > Method::head) return {};
  auto const* const identity = recall(request, moment);
  if (identity == nullptr) return {};
  // In this order: what is kept was true when it was rendered; the version says whether it still is.
  auto const data_version = store_.data_version();
  if (!data_version) return {};
  auto const* const kept = cache_.find(request.target, *data_version);
  if (kept == nullptr) return {};
  if (options_.limiter) [[unlikely]]
    return answer_warm_within_limit(*identity, *kept, request, moment, out);
  auto const route = (*kept)->route;
  return {append_answer(out, *kept, request, moment, options_.cors), route, identity};
}

WarmAnswer Api::answer_warm_within_limit(auth::Identity const& identity,
                                         std::shared_ptr<RenderedAnswer const> const& answer, Request const& request,
                                         Moment const& moment, Output& out) {
  RateLimitFields fields;
  auto const admitted = admit(identity, request, moment, out, fields);
  if (!admitted) return {429, answer->route, &identity};
  return {append_answer(out, answer, *admitted, moment, options_.cors), answer->route, &identity};
}

WarmAnswer Api::answer_overload(Request const& request, Moment const& moment, Output& out) {
  // What needs no token, or has none, is answered without the store.
  if (options_.load == nullptr || !request.target.starts_with("/api/") || !request.authorization.single()) return {};
  if (request.method == Method::options || options_.load->admits(moment.steady)) return {};
  metrics_.shed.add();
  append_error(out, unavailable("The server has too much to do"), request, moment, options_.cors);
  auto const target = split_target(request.target);
  return {503, target ? match(decode_path(target->path), surface_).label() : no_route};
}

awaitable<void> Api::answer(Request const& request, Moment const& moment, Exchange& exchange) {
  auto const start = exchange.output().bytes.size();
  ServerFault fault{{500, "Internal server error"}, {}, spdlog::level::err};
  try {
    co_await dispatch(request, moment, exchange);
    co_return;
  } catch (std::bad_alloc const&) {
    fault = {unavailable("The server is out of memory"), "no memory", spdlog::level::err};
  } catch (std::exception const& failure) {
    fault.why = failure.what();
  }
  if (exchange.streaming()) {
    log_about(request, exchange, spdlog::level::err, "an answer is cut in the middle: " + fault.why);
    co_return exchange.abort();
  }
  auto& out = exchange.output();
  out.bytes.resize(start);
  out.tail.reset();
  answer_fault(fault, request, moment, exchange, options_.cors);
}

awaitable<void> Api::dispatch(Request const& request, Moment const& moment, Exchange& exchange) {
  bool const options_asked = request.method == Method::options;
  auto const answer_options = [&] {
    append_options_answer(exchange.output(), request, moment, options_.cors);
    exchange.note(204, {});
  };

  auto const target = split_target(request.target);
  if (!target) {
    if (options_asked && request.target == "*") co_return answer_options();
    co_return refuse(bad_request("The request target is not valid"), request, moment, exchange);
  }
  auto const path = decode_path(target->path);
  auto const found = match(path, surface_);
  exchange.note_route(found.label());
  if (options_asked && (path.is_api() || found.route != nullptr)) co_return answer_options();
  RateLimitFields fields;
  std::optional<Request> admitted;
  std::uint64_t token = 0;
  if (path.is_api() && surface_ == Surface::api) {
    auto const* identity = recall(request, moment);
    if (identity != nullptr)
      authenticator_.note_recalled();
    else
      identity = co_await authenticate(request, moment, exchange);
    if (identity == nullptr) co_return;
    token = identity->key;
    exchange.note(0, identity->subject);
    if (options_.limiter) {
      admitted = admit(*identity, request, moment, exchange.output(), fields);
      if (!admitted) co_return exchange.note(429, {});
    }
  }
  auto const& to_answer = admitted ? *admitted : request;
  if (found.route == nullptr) {
    auto const decoded = percent_decode(target->path, PlusSign::literal);
    auto const shown = to_valid_utf8(decoded ? std::string_view(*decoded) : target->path);
    co_return refuse(no_such_path(shown), to_answer, moment, exchange);
  }
  if (request.method == Method::other) co_return refuse(not_implemented(), to_answer, moment, exchange);

  Call call{to_answer, moment, exchange, found.label(), token, found.id, path.well_formed, target->query.value_or("")};
  co_await (handlers_.*found.route->handler)(call);
}

auth::Identity const* Api::recall(Request const& request, Moment const& moment) noexcept {
  if (!request.authorization.single()) return nullptr;
  return authenticator_.recall(request.authorization.value, moment.now);
}

awaitable<auth::Identity const*> Api::authenticate(Request const& request, Moment const& moment, Exchange& exchange) {
  if (!request.authorization.present()) {
    authenticator_.note_absent();
    exchange.note_refusal(auth::Refusal::no_credentials);
    refuse(not_authenticated(false), request, moment, exchange);
    co_return nullptr;
  }
  if (!request.authorization.single()) {
    auto const refused = authenticator_.refuse_several();
    refuse_token(refused, request, moment, exchange);
    co_return nullptr;
  }
  auto const verdict = co_await authenticator_.verify(request.authorization.value, moment.now);
  if (auto const* const refused = std::get_if<auth::Refused>(&verdict)) {
    refuse_token(*refused, request, moment, exchange);
    co_return nullptr;
  }
  co_return std::get<auth::Identity const*>(verdict);
}

void Api::refuse_token(auth::Refused const& refused, Request const& request, Moment const& moment, Exchange& exchange) {
  if (refused.why == auth::Refusal::store_unavailable)
    return answer_fault({unavailable("The store is not available"), "the token cannot be looked up"}, request, moment,
                        exchange, options_.cors);
  if (!refused.report.empty())
    log_about(request, exchange, spdlog::level::info, "token refused: " + refused.report);
  else if (spdlog::should_log(spdlog::level::debug))
    log_about(request, exchange, spdlog::level::debug, fmt::format("token refused: {}", auth::to_string(refused.why)));
  exchange.note_refusal(refused.why);
  refuse(not_authenticated(refused.why != auth::Refusal::no_credentials), request, moment, exchange);
}

std::optional<Request> Api::admit(auth::Identity const& identity, Request const& request, Moment const& moment,
                                  Output& out, RateLimitFields& fields) {
  auto const allowance = options_.limiter->admit(identity.key, moment.steady);
  fields = RateLimitFields(*options_.limiter, allowance);
  auto counted = request;
  counted.limit_lines = fields.lines();
  if (!allowance.wait) return counted;
  metrics_.rate_limited.add();
  auto const error = too_many_requests(std::chrono::ceil<std::chrono::seconds>(*allowance.wait));
  append_error(out, error, counted, moment, options_.cors);
  return std::nullopt;
}

void Api::answer_bad_framing(HttpError const& error, Method method, Moment const& moment, Output& out) {
  Request request;
  request.method = method;
  request.keep_alive = false;
  append_error(out, error, request, moment, options_.cors);
  metrics_.count_unread(error.status);
}

void Api::refuse(HttpError const& error, Request const& request, Moment const& moment, Exchange& exchange) {
  append_error(exchange.output(), error, request, moment, options_.cors);
  exchange.note(error.status, {});
}

}  // namespace deployd::routing
