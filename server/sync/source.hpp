// The server whose lists are mirrored.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/failure.hpp"
#include "server/fetch/fetch.hpp"
#include "server/fetch/url.hpp"
#include "storage/store.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::server {

/// A list of the API.
struct SourceList {
  /// `path` is that behind the URL of the source. If a pattern is asked for, its name is appended to it.
  SourceList(storage::Table of, std::string path, std::string pattern_name = {});

  storage::Table table;
  std::string target;   // path and query behind the URL of the source
  std::string pattern;  // the name of the pattern that is asked for, for messages; empty for whole lists
};

/// What the source answered.
struct SourceAnswer {
  bool modified = true;  // false: the list is still the one with the ETag that was sent
  std::optional<std::string> etag = {};
};

/// Thrown when the source does not answer (ExitStatus::unavailable), or not with the list that was asked for (`data`).
/// `what()` names the source.
class SourceError : public Failure {
 public:
  using Failure::Failure;

  std::optional<unsigned> status = {};                   // of the response
  std::optional<std::chrono::seconds> retry_after = {};  // longer than one round waits
};

/// Reads lists, with retries. A failure that may pass (no response, a response that is cut short, 408, 429, 5xx) is
/// tried again up to three times after growing pauses, or after the time of Retry-After if that is at most a minute.
class Source {
 public:
  Source(Url base, std::string token_file, std::optional<std::string> ca_file);

  /// The URL without its last slash, for messages.
  std::string name() const;

  /// Reads the token and the certificate authorities again. Must be called before each round. Throws auth::KeyError or
  /// TlsError naming the file at fault.
  void reload();

  /// Reads a list unless it still has `etag`. `begin` is called before each attempt: `rows` then forgets those of
  /// earlier attempts. Throws SourceError, or exceptions of the rows other than storage::BadRow, whose text becomes
  /// that of a SourceError.
  boost::asio::awaitable<SourceAnswer> read(SourceList list, std::optional<std::string> etag, storage::ImportRows& rows,
                                            std::function<void()> begin);

 private:
  using Attempt = boost::system::result<SourceAnswer, FetchFault>;

  boost::asio::awaitable<Attempt> try_once(SourceList const& list, FetchOptions options, storage::ImportRows& rows);

  Url base_;
  std::string token_file_;
  std::optional<std::string> ca_file_;
  std::string token_;
  std::shared_ptr<boost::asio::ssl::context> trust_;
};

}  // namespace deployd::server
