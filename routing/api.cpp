#include "routing/api.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/percent_encoding.hpp"
#include "base/utf8.hpp"
#include "routing/compressor.hpp"
#include "routing/log_fields.hpp"
#include "routing/openapi.hpp"
#include "routing/rendered_answer.hpp"

namespace deployd::routing {

using boost::asio::awaitable;

namespace {

// Bodies are compressed in steps of this many bytes: about a millisecond. Other requests are served between two steps.
constexpr std::size_t bytes_a_step = 32 * 1024;

/// Lets other requests of the worker have their turn.
awaitable<void> yield() {
  auto const worker = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(worker, boost::asio::use_awaitable);
}

/// True if the wanted coding must be applied to a response.
bool needs_coding(Response const& response, Request const& request) noexcept {
  if (request.wanted.coding == Coding::identity) return false;
  auto const* const whole = std::get_if<Representation>(&response);
  if (whole == nullptr || !whole->may_be_kept) return false;
  return whole->body.size() >= shortest_coded_body || request.wanted.identity_refused;
}

/// Says that something is being done as long as it exists.
class Doing {
 public:
  explicit Doing(bool& doing) noexcept : doing_(doing) { doing_ = true; }
  ~Doing() { doing_ = false; }
  Doing(Doing const&) = delete;
  Doing& operator=(Doing const&) = delete;

 private:
  bool& doing_;
};

}  // namespace

/// A request being answered.
struct Api::Asked {
  Request request;  // including the lines of `fields`
  Moment const& moment;
  Exchange& exchange;
  auth::Identity const* identity;  // the owner of the token, if it was recalled
  std::optional<std::uint64_t> data_version;
  Answered answered = {};
  std::uint64_t token = 0;  // Identity::key
  RateLimitFields fields = {};
};

Api::Api(ApiOptions options, auth::Authenticator& authenticator, storage::Store& store)
    : options_(std::move(options)),
      authenticator_(authenticator),
      store_(store),
      surface_(options_.metrics_source != nullptr ? Surface::admin
               : options_.page                    ? Surface::api_and_page
                                                  : Surface::api),
      cache_(options_.cache_bytes),
      handlers_(store_, options_.cors, options_.metrics_source, describe(options_.cors),
                serves(surface_, Surface::page) ? render_page(options_.cors) : PageAnswers()) {}

// Flattened, as every request runs this: see `read_head`.
[[gnu::flatten]] AnsweredAtOnce Api::answer_at_once(Request const& request, Moment const& moment, Output& out,
                                                    bool look_at_load) {
  // The version must be read before the look-up: a cached response was correct when it was rendered, and the version
  // says whether it still is.
  recalled_ = request.authorization.single() && request.method != Method::options
                  ? authenticator_.recall(request.authorization.value, moment.now)
                  : nullptr;
  data_version_ = recalled_ != nullptr ? store_.data_version() : std::nullopt;
  if (data_version_ && request.method <= Method::head) [[likely]] {
    if (auto const* const kept = cache_.find(request.target, request.wanted, *data_version_)) {
      if (options_.limiter) [[unlikely]]
        return {append_within_limit(*kept, request, moment, out), (*kept)->route, recalled_};
      return {append_answer(out, *kept, request, moment, options_.cors), (*kept)->route, recalled_};
    }
  }
  if (look_at_load && is_overloaded(request, moment)) {
    metrics_.shed.add();
    append_error(out, unavailable("The server is overloaded"), request, moment, options_.cors);
    auto const target = split_target(request.target);
    return {503, target ? match(decode_path(target->path), surface_).label() : no_route};
  }
  return {};
}

unsigned Api::append_within_limit(std::shared_ptr<RenderedAnswer const> const& kept, Request counted,
                                  Moment const& moment, Output& out) {
  RateLimitFields fields;
  auto const too_many = count(*recalled_, counted, moment, fields);
  if (!too_many) return append_answer(out, kept, counted, moment, options_.cors);
  append_error(out, *too_many, counted, moment, options_.cors);
  return too_many->status;
}

/// True if a request must not wait for the store. Requests without a token, or that need none, are answered without the
/// store.
bool Api::is_overloaded(Request const& request, Moment const& moment) noexcept {
  if (options_.load == nullptr || !request.target.starts_with("/api/") || !request.authorization.single()) return false;
  return request.method != Method::options && !options_.load->admits(moment.steady);
}

awaitable<Answered> Api::answer(Request const& request, Moment const& moment, Exchange& exchange) {
  Asked asked{request, moment, exchange, std::exchange(recalled_, nullptr), data_version_};
  auto const start = exchange.output().bytes.size();
  ServerFault fault{{500, "Internal server error"}, {}, spdlog::level::err};
  try {
    auto response = co_await respond(asked);
    if (needs_coding(response, request)) co_await encode(response, asked);
    asked.answered.status = append(std::move(response), asked);
    co_return std::move(asked.answered);
  } catch (std::bad_alloc const&) {
    fault = {unavailable("The server is out of memory"), "no memory", spdlog::level::err};
  } catch (std::exception const& failure) {
    fault.why = failure.what();
  }
  if (exchange.streaming()) {
    log_about(request, exchange, spdlog::level::err, "a response was cut off: " + fault.why);
    exchange.abort();
    asked.answered.status = 200;
    co_return std::move(asked.answered);
  }
  auto& out = exchange.output();
  out.bytes.resize(start);
  out.tail.reset();
  asked.answered.status = append(fault, asked);
  co_return std::move(asked.answered);
}

// The order of the lines is the order in which errors are returned.
awaitable<Response> Api::respond(Asked& asked) {
  auto const& request = asked.request;
  bool const options_asked = request.method == Method::options;
  auto const target = split_target(request.target);
  if (!target) {
    if (options_asked && request.target == "*") co_return AllowedMethods{};
    co_return bad_request("The request target is not valid");
  }
  auto const path = decode_path(target->path);
  auto const found = match(path, surface_);
  asked.answered.route = found.label();
  if (options_asked && (path.is_api() || found.route != nullptr)) co_return AllowedMethods{};
  if (path.is_api() && serves(surface_, Surface::api)) {
    if (asked.identity != nullptr) {
      authenticator_.note_recalled();
    } else if (request.authorization.single()) {
      auto const verdict = co_await authenticator_.verify(request.authorization.value, asked.moment.now);
      if (auto const* const refused = std::get_if<auth::Refused>(&verdict)) co_return refuse_token(*refused, asked);
      asked.identity = std::get<auth::Identity const*>(verdict);
      asked.data_version = store_.data_version();
    } else {
      co_return refuse_credentials(asked);
    }
    asked.token = asked.identity->key;
    if (options_.subjects) asked.answered.subject = asked.identity->subject;
    if (options_.limiter) {
      if (auto const too_many = count(*asked.identity, asked.request, asked.moment, asked.fields)) co_return *too_many;
    }
  }
  if (found.route == nullptr) {
    auto const decoded = base::percent_decode(target->path, base::PlusSign::literal);
    co_return no_such_path(base::to_valid_utf8(decoded ? std::string_view(*decoded) : target->path));
  }
  if (request.method == Method::other) co_return not_implemented();

  Call call{.request = request,
            .moment = asked.moment,
            .exchange = asked.exchange,
            .token = asked.token,
            .id = found.id,
            .id_well_formed = path.well_formed,
            .query = target->query.value_or("")};
  auto response = co_await (handlers_.*found.route->handler)(call);
  co_return response;
}

/// Refuses a request that has no credentials, or several.
Response Api::refuse_credentials(Asked& asked) {
  if (asked.request.authorization.present()) return refuse_token(authenticator_.refuse_several(), asked);
  authenticator_.note_absent();
  asked.answered.refusal = auth::Refusal::no_credentials;
  return not_authenticated(false);
}

Response Api::refuse_token(auth::Refused const& refused, Asked& asked) {
  if (refused.why == auth::Refusal::store_unavailable)
    return ServerFault{unavailable("The store is not available"), "the token cannot be looked up"};
  if (!refused.report.empty())
    log_about(asked.request, asked.exchange, spdlog::level::info, "token refused: " + refused.report);
  else if (spdlog::should_log(spdlog::level::debug))
    log_about(asked.request, asked.exchange, spdlog::level::debug,
              fmt::format("token refused: {}", auth::to_string(refused.why)));
  asked.answered.refusal = refused.why;
  return not_authenticated(refused.why != auth::Refusal::no_credentials);
}

std::optional<HttpError> Api::count(auth::Identity const& identity, Request& request, Moment const& moment,
                                    RateLimitFields& fields) {
  auto const allowance = options_.limiter->admit(identity.key, moment.steady);
  fields = RateLimitFields(*options_.limiter, allowance);
  request.limit_lines = fields.lines();
  if (!allowance.wait) return std::nullopt;
  metrics_.rate_limited.add();
  return too_many_requests(std::chrono::ceil<std::chrono::seconds>(*allowance.wait));
}

/// Long bodies are compressed one after the other, which limits the memory for it. Who has waited may find that another
/// request for the same list has compressed it meanwhile.
awaitable<void> Api::encode(Response& response, Asked const& asked) {
  auto& representation = std::get<Representation>(response);
  auto const wanted = asked.request.wanted;
  std::string_view rest = representation.body;
  bool const is_long = rest.size() > bytes_a_step;
  if (is_long && encoding_) {
    while (encoding_) co_await yield();
    auto const* const kept =
        asked.data_version ? cache_.find(asked.request.target, wanted, *asked.data_version) : nullptr;
    if (kept != nullptr) {
      response = *kept;
      co_return;
    }
  }
  std::optional<Doing> doing;
  if (is_long) doing.emplace(encoding_);
  auto const compressor = make_compressor(wanted.coding, Effort::kept, rest.size());
  std::string coded;
  for (; rest.size() > bytes_a_step; rest.remove_prefix(bytes_a_step)) {
    compressor->compress(rest.substr(0, bytes_a_step), Compressor::Then::go_on, coded);
    co_await yield();
  }
  compressor->compress(rest, Compressor::Then::end, coded);

  // A short body is compressed only for clients that refuse identity: not worth a place in the cache.
  if (representation.body.size() < shortest_coded_body) representation.may_be_kept = false;
  representation.body = std::move(coded);
  representation.coding = wanted.coding;
}

unsigned Api::append(Response&& response, Asked& asked) {
  auto& out = asked.exchange.output();
  if (auto* const representation = std::get_if<Representation>(&response)) {
    bool const kept = representation->may_be_kept && asked.data_version && cache_.enabled();
    Form const form{.format = asked.request.wanted.format, .coding = representation->coding};
    auto rendered = std::make_shared<RenderedAnswer>(render_answer(std::move(*representation), options_.cors));
    rendered->route = asked.answered.route;
    auto const status = append_answer(out, rendered, asked.request, asked.moment, options_.cors);
    if (kept) cache_.keep(asked.request.target, form, *asked.data_version, std::move(rendered));
    return status;
  }
  if (auto const* const prepared = std::get_if<Prepared>(&response))
    return append_answer(out, *prepared, asked.request, asked.moment, options_.cors);
  if (auto const* const error = std::get_if<HttpError>(&response)) {
    append_error(out, *error, asked.request, asked.moment, options_.cors);
    return error->status;
  }
  if (auto const* const fault = std::get_if<ServerFault>(&response)) return append(*fault, asked);
  if (std::holds_alternative<Streamed>(response)) return 200;
  append_options_answer(out, asked.request, asked.moment, options_.cors);
  return 204;
}

unsigned Api::append(ServerFault const& fault, Asked& asked) {
  log_about(asked.request, asked.exchange, fault.level,
            fmt::format("a request is answered {}: {}", fault.error.status, fault.why));
  append_error(asked.exchange.output(), fault.error, asked.request, asked.moment, options_.cors,
               fmt::format("X-Request-Id: {}\r\n", asked.exchange.request_id(asked.request)));
  return fault.error.status;
}

void Api::answer_bad_framing(HttpError const& error, Method method, Moment const& moment, Output& out) {
  Request request;
  request.method = method;
  request.keep_alive = false;
  append_error(out, error, request, moment, options_.cors);
  metrics_.count_unread(error.status);
}

}  // namespace deployd::routing
