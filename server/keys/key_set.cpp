#include "server/keys/key_set.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <utility>

#include "auth/jwt/jwks.hpp"
#include "auth/key_error.hpp"
#include "auth/refusal_report.hpp"
#include "auth/strict_json.hpp"
#include "server/event_loop.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

constexpr std::size_t max_depth = 16;
constexpr std::size_t most_kids_shown = 5;

// Each key is checked with some milliseconds of computing, for which the end of the process has to wait.
constexpr std::size_t most_keys = 100;

// Shorter than the time for the whole fetch, so that a request which waits for a key outlasts a fetch that stalls.
constexpr std::chrono::seconds max_silence{5};

template <typename T>
using Result = boost::system::result<T, FetchFault>;

FetchFault fault_at(Url const& url, std::string_view what) {
  return {fmt::format("{}: {}", shown(url), what)};
}

bool is_html(Fetched const& fetched) {
  auto const content_type = fetched.fields[boost::beast::http::field::content_type];
  return content_type.find("html") != content_type.npos;
}

/// Returns the URL of the discovery document of an issuer (OpenID Connect Discovery 1.0 §4).
Url discovery_url(Url issuer) {
  if (issuer.target.ends_with('/')) issuer.target.pop_back();
  issuer.target += "/.well-known/openid-configuration";
  return issuer;
}

/// Returns a string member of the discovery document, or an empty text.
std::string text_of(boost::json::object const& document, std::string_view member) {
  auto const* const value = document.if_contains(member);
  auto const* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

/// Returns the URL of the key set in the discovery document of an issuer (OpenID Connect Discovery 1.0 §4.3).
Result<Url> read_discovery(KeyLocation const& location, Fetched const& fetched) {
  if (is_html(fetched))
    return fault_at(fetched.url, "answered with an HTML page, and not with an OpenID configuration");
  auto const document = auth::read_json_object(fetched.body, {max_depth});
  if (!document) return fault_at(fetched.url, "not an OpenID configuration: " + document.error().what);
  auto const issuer = text_of(*document, "issuer");
  if (issuer != *location.issuer)
    return fault_at(fetched.url, fmt::format("its 'issuer' is {}, and not {} as in --oidc-issuer",
                                             issuer.empty() ? "missing" : auth::in_quotes(issuer),
                                             auth::in_quotes(*location.issuer)));
  auto const text = text_of(*document, "jwks_uri");
  if (text.empty()) return fault_at(fetched.url, "its 'jwks_uri' is missing");
  auto const url = parse_url(text);
  if (!url) return fault_at(fetched.url, "its 'jwks_uri' cannot be used: " + url.error().what);
  if (!url->tls && (location.url.tls || !is_loopback(*url)))
    return fault_at(fetched.url, "its 'jwks_uri' is not https");
  return *url;
}

}  // namespace

Result<KeySet> read_key_set(std::string text, std::string const& name) {
  KeySet set;
  try {
    set.keys = auth::read_jwks(text, name, most_keys);
    set.complaints = auth::private_members(text, name);
  } catch (auth::KeyError const& failure) {
    return FetchFault{failure.what()};
  }
  for (auto& line : set.complaints) line += ", of a private key that anybody can fetch: its owner must replace it";
  auto const symmetric = std::erase_if(set.keys, [](auth::Key const& key) { return key.kind == auth::KeyKind::hmac; });
  if (symmetric > 0)
    set.complaints.push_back(fmt::format(
        "{}: {} of its keys are symmetric and not used: whoever can fetch them could sign tokens", name, symmetric));
  if (set.keys.empty()) return FetchFault{name + ": contains no key that can be used"};
  set.text = std::move(text);
  return set;
}

asio::awaitable<FetchedKeySetResult> async_fetch_keys(KeyLocation location, std::optional<KeySetVersion> known,
                                                      std::shared_ptr<ssl::context> trust) {
  auto url = location.url;
  FetchOptions options{.max_silence = max_silence};
  if (location.issuer) {
    auto discovery = async_fetch(discovery_url(location.url), options, trust);
    auto const document = co_await std::move(discovery);
    if (!document) co_return document.error();
    auto const found = read_discovery(location, *document);
    if (!found) co_return found.error();
    url = *found;
  }
  if (known && known->url == url) options.etag = known->etag;
  options.accept = "application/jwk-set+json, application/json";
  auto fetching = async_fetch(url, options, trust);
  auto fetched = co_await std::move(fetching);
  if (!fetched) co_return fetched.error();
  FetchedKeySet result;
  result.max_age = fetched->max_age;
  if (!fetched->modified) {
    result.version = std::move(known);
    co_return result;
  }
  if (is_html(*fetched))
    co_return fault_at(fetched->url, "answered with an HTML page, and not with a JSON Web Key Set");
  auto set = read_key_set(std::move(fetched->body), shown(fetched->url));
  if (!set) co_return set.error();
  result.set = std::move(*set);
  if (fetched->etag) result.version = KeySetVersion{url, *fetched->etag};
  co_return result;
}

FetchedKeySetResult fetch_keys(KeyLocation const& location, std::shared_ptr<ssl::context> trust) {
  asio::io_context loop(1);
  return complete(loop, async_fetch_keys(location, std::nullopt, std::move(trust)));
}

std::string describe_keys(std::vector<auth::Key> const& keys) {
  std::string kids;
  std::size_t shown = 0;
  for (auto const& key : keys) {
    if (!key.kid || shown == most_kids_shown) continue;
    kids += (shown++ == 0 ? "" : ", ") + auth::in_quotes(*key.kid);
  }
  auto count = fmt::format("{} key{}", keys.size(), keys.size() == 1 ? "" : "s");
  if (shown == 0) return count;
  return fmt::format("{} (kid {}{})", count, kids, shown < keys.size() ? " and others" : "");
}

}  // namespace deployd::server
