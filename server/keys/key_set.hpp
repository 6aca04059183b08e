// Key sets of identity providers, as they are fetched.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key.hpp"
#include "server/fetch/fetch.hpp"
#include "server/keys/key_location.hpp"

namespace deployd::server {

/// A JSON Web Key Set that can be used.
struct KeySet {
  std::string text = {};
  std::vector<auth::Key> keys = {};  // at least one; none symmetric, as all who can fetch one could sign with it
  std::vector<std::string> complaints = {};  // a line each
};

/// The version of a key set, for a conditional request.
struct KeySetVersion {
  Url url;  // of the set itself
  std::string etag;
};

/// A set that was fetched, or no set if that of `known` is still current.
struct FetchedKeySet {
  std::optional<KeySet> set = {};
  std::optional<KeySetVersion> version = {};
  std::optional<std::chrono::seconds> max_age = {};
};

/// Reads a key set. Fails with a line that begins with `name`.
boost::system::result<KeySet, FetchFault> read_key_set(std::string text, std::string const& name);

using FetchedKeySetResult = boost::system::result<FetchedKeySet, FetchFault>;

/// Fetches the key set of a location, for an issuer by its discovery document. Runs like `async_fetch`.
boost::asio::awaitable<FetchedKeySetResult> async_fetch_keys(KeyLocation location, std::optional<KeySetVersion> known,
                                                             std::shared_ptr<boost::asio::ssl::context> trust);

/// Does the same and blocks until the result is there.
FetchedKeySetResult fetch_keys(KeyLocation const& location, std::shared_ptr<boost::asio::ssl::context> trust);

/// Describes keys in a few words, such as `2 keys (kid 'a', 'b')`. Their names may contain any text.
std::string describe_keys(std::vector<auth::Key> const& keys);

}  // namespace deployd::server
