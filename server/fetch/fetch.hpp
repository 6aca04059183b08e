// GET of a URL by http or https, within limits: for what deployd itself reads from other servers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/fetch/url.hpp"

namespace deployd::server {

/// A field of a request or of a response.
struct HttpField {
  std::string name;
  std::string value;
};

struct FetchOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 20;  // of the body
  std::chrono::milliseconds timeout{10'000};         // for the whole fetch, including redirects
  std::chrono::milliseconds max_silence{10'000};     // without any byte of the response
  unsigned max_redirects = 5;
  std::string accept = "application/json";
  std::optional<std::string> etag = {};  // of a body that is known: sent as If-None-Match

  /// Further fields of the request, such as Authorization. A redirect to another origin does not receive them.
  std::vector<HttpField> fields = {};

  /// Receives the body of a 200 in pieces of at most 64 KiB, instead of `Fetched::body`. An exception that it throws
  /// ends the fetch and is passed on. The pieces are valid only during the call. A fetch can fail after some pieces.
  std::function<void(std::string_view)> body_to = {};
};

/// A good response: 200, or 304 if `FetchOptions::etag` was given.
struct Fetched {
  Url url;               // of the last request, after redirects
  bool modified = true;  // false: 304, without a body
  std::string body = {};
  std::string content_type = {};
  std::optional<std::string> etag = {};
  std::optional<std::chrono::seconds> max_age = {};  // of Cache-Control
  std::vector<HttpField> fields = {};                // all fields of the response, with names in lower case

  /// Returns the value of the first field with this name in lower case, or an empty text.
  std::string_view field(std::string_view name) const noexcept;
};

/// Why there is no response, or no good one.
struct FetchFault {
  std::string what;                                      // one line that begins with the URL, without its query
  std::optional<unsigned> status = {};                   // if there was a response with another status
  std::optional<std::chrono::seconds> retry_after = {};  // of that response
};

using FetchResult = boost::system::result<Fetched, FetchFault>;

/// Requests a URL and follows redirects, but never to http. The server's certificate must be valid for the host of the
/// URL and issued by an authority of `trust`. A body with a Content-Encoding is refused unless `fields` contains
/// Accept-Encoding; it is then delivered as it is.
///
/// Runs on the executor of the caller, whose loop must have one thread. When it is cancelled, or its loop ends, only
/// the lookup of a host name may remain.
boost::asio::awaitable<FetchResult> async_fetch(Url url, FetchOptions options,
                                                std::shared_ptr<boost::asio::ssl::context> trust);

/// Does the same and blocks until the result is there.
FetchResult fetch(Url const& url, FetchOptions const& options, std::shared_ptr<boost::asio::ssl::context> trust);

/// True while a host name is looked up on `loop`. Destroying the loop then waits for the system's answer, which can
/// take half a minute.
bool looks_up_name(boost::asio::execution_context& loop);

}  // namespace deployd::server
