// GET of a URL by http or https, within limits: for what deployd itself reads from other servers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/fields.hpp>
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

struct FetchOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 20;  // of the body
  std::chrono::milliseconds timeout{10'000};         // for the whole fetch, including redirects
  std::chrono::milliseconds max_silence{10'000};     // without any byte of the response
  std::string accept = "application/json";
  std::optional<std::string> etag = {};  // of a body that is known: sent as If-None-Match
  bool follows_redirects = true;         // otherwise a redirect fails as other statuses do

  /// The Authorization field, unless it is empty. A redirect to another origin does not receive it.
  std::string authorization = {};

  /// Where to connect to, one after the other, instead of looking up the host of the URL.
  std::vector<boost::asio::generic::stream_protocol::endpoint> endpoints = {};

  /// Receives the body of a 200 in pieces of at most 64 KiB, instead of `Fetched::body`. An exception that it throws
  /// ends the fetch and is passed on. The pieces are valid only during the call. A fetch can fail after some pieces.
  std::function<void(std::string_view)> body_to = {};
};

/// A good response: 200, or 304 if `FetchOptions::etag` was given.
struct Fetched {
  Url url;               // of the last request, after redirects
  bool modified = true;  // false: 304, without a body
  std::string body = {};
  std::optional<std::string> etag = {};
  std::optional<std::chrono::seconds> max_age = {};  // of Cache-Control
  boost::beast::http::fields fields = {};            // all fields of the response
};

/// Why there is no response, or no good one.
struct FetchFault {
  std::string what;                                      // one line that begins with the URL, without its query
  std::optional<unsigned> status = {};                   // if there was a response with another status
  std::optional<std::chrono::seconds> retry_after = {};  // of that response
};

using FetchResult = boost::system::result<Fetched, FetchFault>;

/// Returns how connections of a client are made: with TLS 1.2 or later, and a certificate of one of the authorities in
/// `ca_file` (PEM); without a file, of one of the system's. Each connection checks the name. Throws TlsError or
/// auth::KeyError naming the file if it cannot be used.
std::shared_ptr<boost::asio::ssl::context> make_trust(std::optional<std::string> const& ca_file);

/// Requests a URL and follows redirects, but never to http, unless `options` turn that off. If `trust` verifies
/// certificates, the server's must be valid for the host of the URL and issued by an authority of `trust`. A body with
/// a Content-Encoding is refused.
///
/// Runs on the executor of the caller, whose loop must have one thread. When it is cancelled, or its loop ends, only
/// the lookup of a host name may remain: see `abandon`.
boost::asio::awaitable<FetchResult> async_fetch(Url url, FetchOptions options,
                                                std::shared_ptr<boost::asio::ssl::context> trust);

/// Does the same and blocks until the result is there.
FetchResult fetch(Url const& url, FetchOptions const& options, std::shared_ptr<boost::asio::ssl::context> trust);

}  // namespace deployd::server
