#include "server/fetch/fetch.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <utility>

#include "auth/key_file.hpp"
#include "base/wait_for_outcome.hpp"
#include "server/event_loop.hpp"
#include "server/fetch/cache_control.hpp"
#include "server/tls/certificate.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;

using asio::generic::stream_protocol;
using asio::ip::tcp;
using boost::beast::iequals;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Request = http::request<http::empty_body>;
using Parser = http::response_parser<http::buffer_body>;

constexpr auto without_exceptions = asio::as_tuple(asio::use_awaitable);

// The limit for one of several addresses of a host, so that an address which drops packets leaves time for the next.
constexpr std::chrono::seconds longest_connect{3};
constexpr std::uint32_t max_header_bytes = 32 * 1024;
constexpr unsigned max_interim_responses = 8;
constexpr unsigned max_redirects = 5;
constexpr std::size_t block_bytes = 64 * 1024;

/// When a fetch must end.
struct Limits {
  FetchOptions const& options;
  Clock::time_point deadline;

  /// The end of a wait for the next byte.
  Clock::time_point next() const { return std::min(deadline, Clock::now() + options.max_silence); }

  /// Says which of both limits has been reached.
  std::string reached() const {
    auto const in_seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
    if (Clock::now() >= deadline) return fmt::format("no complete response within {} s", in_seconds(options.timeout));
    return fmt::format("no byte received for {} s", in_seconds(options.max_silence));
  }
};

/// One connection, which is closed when its time is over.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::any_io_executor const& executor, ssl::context& trust) : stream(executor, trust), timer_(executor) {}

  ssl::stream<stream_protocol::socket> stream;

  stream_protocol::socket& socket() { return stream.next_layer(); }

  /// Closes the connection at `deadline`, which replaces an earlier one.
  void expire_at(Clock::time_point deadline) {
    expired_ = false;
    timer_.expires_at(deadline);
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
      auto const link = weak.lock();
      if (cancelled || !link || Clock::now() < link->timer_.expiry()) return;
      link->expired_ = true;
      error_code ignored;
      link->socket().close(ignored);
    });
  }

  bool expired() const noexcept { return expired_; }

 private:
  asio::steady_timer timer_;
  bool expired_ = false;
};

/// What failed in one request. The caller adds the URL.
struct Failure {
  std::string what;
};

template <typename T>
using Outcome = boost::system::result<T, Failure>;

/// A response whose head and body are there. The body is empty for other statuses than 200.
struct Answer {
  http::response_header<> head;
  std::string body;
};

using Endpoints = std::vector<stream_protocol::endpoint>;

struct LookUp {
  explicit LookUp(asio::any_io_executor const& executor) : resolver(executor), timer(executor) {}

  tcp::resolver resolver;
  asio::steady_timer timer;
  bool done = false;
  error_code failure = {};
  Endpoints found = {};
};

/// Returns the addresses of a host. The system cannot cancel a lookup: when its time is over, it is left to itself.
asio::awaitable<Outcome<Endpoints>> look_up(Url const& url, Limits const& limits) {
  if (!limits.options.endpoints.empty()) co_return limits.options.endpoints;
  auto const executor = co_await asio::this_coro::executor;
  auto const query = std::make_shared<LookUp>(executor);
  query->timer.expires_at(limits.deadline);
  query->resolver.async_resolve(url.host, std::to_string(url.port), tcp::resolver::numeric_service,
                                [query](error_code failure, tcp::resolver::results_type const& found) {
                                  query->failure = failure;
                                  for (auto const& entry : found) query->found.emplace_back(entry.endpoint());
                                  query->done = true;
                                  query->timer.cancel();
                                });
  co_await base::wait_for_outcome(query->timer, query->done);
  if (!query->done) co_return Failure{limits.reached()};
  if (query->failure) co_return Failure{fmt::format("host name not found: {}", query->failure.message())};
  co_return query->found;
}

asio::awaitable<Outcome<bool>> connect(Link& link, Url const& url, Limits const& limits) {
  auto const endpoints = co_await look_up(url, limits);
  if (!endpoints) co_return endpoints.error();
  Failure failure{"the host has no address"};
  auto left = endpoints->size();
  for (auto const& endpoint : *endpoints) {
    auto const now = Clock::now();
    if (now >= limits.deadline) break;
    link.expire_at(--left == 0 ? limits.next() : std::min(limits.next(), now + longest_connect));
    error_code ignored;
    link.socket().close(ignored);
    auto const [failed] = co_await link.socket().async_connect(endpoint, without_exceptions);
    if (!failed) co_return true;
    failure.what = "cannot connect: " + (link.expired() ? std::string("no answer") : failed.message());
  }
  co_return failure;
}

/// SSL_set_tlsext_host_name, which is a macro with a cast of C.
long set_server_name(SSL* connection, std::string host) {
  return SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
}

/// Requires a certificate for the host of the URL.
bool require_name(SSL* connection, Url const& url) {
  if (SSL_get_verify_mode(connection) == SSL_VERIFY_NONE) return true;
  auto* const checks = SSL_get0_param(connection);
  error_code not_numeric;
  asio::ip::make_address(url.host, not_numeric);
  if (!not_numeric) return X509_VERIFY_PARAM_set1_ip_asc(checks, url.host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return set_server_name(connection, url.host) == 1 &&
         X509_VERIFY_PARAM_set1_host(checks, url.host.c_str(), url.host.size()) == 1;
}

asio::awaitable<Outcome<bool>> shake_hands(Link& link, Url const& url, Limits const& limits) {
  auto* const connection = link.stream.native_handle();
  if (!require_name(connection, url)) co_return Failure{"its host is not a name that TLS can check"};
  link.expire_at(limits.next());
  auto const [failed] = co_await link.stream.async_handshake(ssl::stream_base::client, without_exceptions);
  if (!failed) co_return true;
  if (link.expired()) co_return Failure{limits.reached()};
  auto const verdict = SSL_get_verify_result(connection);
  if (verdict != X509_V_OK)
    co_return Failure{fmt::format("the certificate is refused: {}", X509_verify_cert_error_string(verdict))};
  co_return Failure{fmt::format("TLS failed: {}", failed.message())};
}

std::string too_large(Limits const& limits) {
  return fmt::format("the response is larger than {} bytes", limits.options.max_bytes);
}

Failure failure_of(Link const& link, error_code const& failed, Limits const& limits) {
  if (link.expired()) return {limits.reached()};
  if (failed == http::error::end_of_stream) return {"the connection was closed without a response"};
  if (failed == http::error::partial_message || failed == ssl::error::stream_truncated)
    return {"the response is cut short"};
  if (failed.category() == http::make_error_code(http::error::bad_version).category())
    return {fmt::format("the response is not HTTP: {}", failed.message())};
  return {failed.message()};
}

/// Returns why the body of a 200 cannot be used, or an empty text.
std::string why_unusable(Parser const& parser, Limits const& limits) {
  auto const coding = parser.get()[http::field::content_encoding];
  if (!coding.empty() && !iequals(coding, "identity"))
    return "the response has a Content-Encoding that was not asked for";
  auto const length = parser.content_length();
  return length && *length > limits.options.max_bytes ? too_large(limits) : std::string();
}

template <typename Stream>
asio::awaitable<Outcome<std::string>> read_body(Link& link, Stream& stream, boost::beast::flat_buffer& buffer,
                                                Parser& parser, Limits const& limits) {
  std::string body;
  std::vector<char> block(block_bytes);
  std::uint64_t received = 0;
  while (!parser.is_done()) {
    auto& rest = parser.get().body();
    rest.data = block.data();
    rest.size = block.size();
    link.expire_at(limits.next());
    auto const [failed, read] = co_await http::async_read_some(stream, buffer, parser, without_exceptions);
    if (failed && failed != http::error::need_buffer) co_return failure_of(link, failed, limits);
    std::string_view const piece(block.data(), block.size() - rest.size);
    received += piece.size();
    if (received > limits.options.max_bytes) co_return Failure{too_large(limits)};
    if (!limits.options.body_to)
      body += piece;
    else if (!piece.empty())
      limits.options.body_to(piece);
  }
  co_return body;
}

template <typename Stream>
asio::awaitable<Outcome<Answer>> converse(Link& link, Stream& stream, Request const& request, Limits const& limits) {
  link.expire_at(limits.next());
  auto const [not_sent, sent] = co_await http::async_write(stream, request, without_exceptions);
  if (not_sent) co_return failure_of(link, not_sent, limits);
  boost::beast::flat_buffer buffer;
  for (unsigned interim = 0; interim < max_interim_responses; ++interim) {
    Parser parser;
    parser.body_limit(boost::none);  // `read_body` counts, so that errors with a long page are reported by status
    parser.header_limit(max_header_bytes);
    link.expire_at(limits.next());
    auto const [failed, read] = co_await http::async_read_header(stream, buffer, parser, without_exceptions);
    if (failed) co_return failure_of(link, failed, limits);
    auto const status = parser.get().result_int();
    if (status / 100 == 1) continue;
    Answer answer{parser.get().base(), {}};
    if (status != 200) co_return answer;
    if (auto why = why_unusable(parser, limits); !why.empty()) co_return Failure{std::move(why)};
    auto body = co_await read_body(link, stream, buffer, parser, limits);
    if (!body) co_return body.error();
    answer.body = std::move(*body);
    co_return answer;
  }
  co_return Failure{"it sends interim responses only"};
}

Request make_request(Url const& url, FetchOptions const& options, bool authorized) {
  Request request(http::verb::get, url.target, 11);
  request.set(http::field::host, authority(url));
  request.set(http::field::user_agent, "deployd/" DEPLOYD_VERSION);
  request.set(http::field::accept, options.accept);
  request.set(http::field::connection, "close");
  if (options.etag) request.set(http::field::if_none_match, *options.etag);
  if (authorized && !options.authorization.empty()) request.set(http::field::authorization, options.authorization);
  return request;
}

/// Sends one request on a connection of its own and returns the response.
asio::awaitable<Outcome<Answer>> ask(Url const& url, Request const& request, ssl::context& trust,
                                     Limits const& limits) {
  auto const executor = co_await asio::this_coro::executor;
  auto const link = std::make_shared<Link>(executor, trust);
  auto const connected = co_await connect(*link, url, limits);
  if (!connected) co_return connected.error();
  if (!url.tls) {
    auto answer = co_await converse(*link, link->socket(), request, limits);
    co_return answer;
  }
  auto const shaken = co_await shake_hands(*link, url, limits);
  if (!shaken) co_return shaken.error();
  auto answer = co_await converse(*link, link->stream, request, limits);
  co_return answer;
}

bool is_redirect(unsigned status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

FetchFault fault_at(Url const& url, std::string_view what) {
  return {fmt::format("{}: {}", shown(url), what)};
}

boost::system::result<Url, FetchFault> target_of(Url const& from, http::response_header<> const& head) {
  auto const location = head[http::field::location];
  if (location.empty()) return fault_at(from, "redirects without a Location");
  auto target = resolve_reference(from, location);
  if (!target) return fault_at(from, "redirects to a bad URL: " + target.error().what);
  if (!target->tls) return fault_at(from, "redirects to http, which is not followed");
  return *target;
}

FetchResult judge(Url const& url, Answer&& answer, FetchOptions const& options) {
  auto const status = answer.head.result_int();
  if (status != 200 && !(status == 304 && options.etag)) {
    auto fault = fault_at(url, fmt::format("answered with status {}", status));
    fault.status = status;
    fault.retry_after = retry_after_of(answer.head[http::field::retry_after], std::chrono::system_clock::now());
    return fault;
  }
  Fetched fetched{.url = url, .modified = status == 200, .body = std::move(answer.body)};
  fetched.fields = std::move(static_cast<http::fields&>(answer.head));
  if (auto const etag = fetched.fields[http::field::etag]; !etag.empty()) fetched.etag = std::string(etag);
  for (auto const& field : fetched.fields) {
    auto const age = field.name() == http::field::cache_control ? max_age_of(field.value()) : std::nullopt;
    if (age && (!fetched.max_age || *age < *fetched.max_age)) fetched.max_age = age;
  }
  return fetched;
}

}  // namespace

std::shared_ptr<ssl::context> make_trust(std::optional<std::string> const& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  if (!ca_file) {
    context->set_default_verify_paths();
    return context;
  }
  auto* const store = SSL_CTX_get_cert_store(context->native_handle());
  for (auto const& authority : read_certificates(auth::read_key_file(*ca_file).bytes, *ca_file))
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      throw TlsError(*ca_file + ": a certificate cannot be used: " + take_openssl_reason());
  return context;
}

asio::awaitable<FetchResult> async_fetch(Url url, FetchOptions options, std::shared_ptr<ssl::context> trust) {
  Limits const limits{options, Clock::now() + options.timeout};
  auto const origin = url;
  for (unsigned redirects = 0; redirects <= max_redirects; ++redirects) {
    auto const request = make_request(url, options, same_origin(url, origin));
    auto answer = co_await ask(url, request, *trust, limits);
    if (!answer) co_return fault_at(url, answer.error().what);
    if (!options.follows_redirects || !is_redirect(answer->head.result_int()))
      co_return judge(url, std::move(*answer), options);
    auto target = target_of(url, answer->head);
    if (!target) co_return target.error();
    url = std::move(*target);
  }
  co_return fault_at(origin, fmt::format("redirects more than {} times", max_redirects));
}

FetchResult fetch(Url const& url, FetchOptions const& options, std::shared_ptr<ssl::context> trust) {
  asio::io_context loop(1);
  return complete(loop, async_fetch(url, options, std::move(trust)));
}

}  // namespace deployd::server
