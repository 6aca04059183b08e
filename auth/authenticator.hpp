// Verification of credentials: whose token it is and until when, or why it is refused.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>

#include "auth/identity.hpp"
#include "auth/jwt/key_ring.hpp"
#include "auth/refusal.hpp"
#include "auth/refusal_log.hpp"
#include "auth/token_checks.hpp"
#include "storage/store.hpp"

namespace deployd::auth {

/// The identity of valid credentials, or the reason of a refusal. The pointer is valid until the next call of the same
/// Authenticator.
using Verdict = std::variant<Identity const*, Refused>;

/// The longest time that a request waits for the key of its token.
inline constexpr std::chrono::seconds longest_wait_for_key{12};

/// Called when the key of a JWT is missing. Returns true if newer keys may come soon: the token then waits for
/// `replace_keys` or `retry_waiting`. Returns false if the token is to be refused.
using KeyMissing = std::function<bool(std::string_view kid)>;

/// Verifies the credentials of one worker's requests. Not to be shared between threads.
class Authenticator {
 public:
  /// `store` and `log` must outlive the authenticator. Without a log, refusals have no report. Without `key_missing`,
  /// no token waits for newer keys.
  Authenticator(std::shared_ptr<KeyRing const> keys, storage::Store& store, RefusalLog* log = nullptr,
                KeyMissing key_missing = {});
  ~Authenticator();

  /// The warm path: returns the identity for credentials that were verified before with exactly these bytes, if they
  /// are still valid at `now`. Does not allocate or wait. `credentials` is the raw value of the Authorization field.
  Identity const* recall(std::string_view credentials, std::chrono::system_clock::time_point now) noexcept;

  /// Verifies credentials. An API token may need a query; if the store does not answer it, the result is
  /// `Refusal::store_unavailable`. Valid credentials are remembered until they expire; API tokens for at most half a
  /// second, so that revocation takes effect in time. API tokens that are not in the store are remembered for the same
  /// time, in little memory. A JWT whose key is missing waits for it as long as `KeyMissing` says so, at most
  /// `longest_wait_for_key`. `credentials` must live until the call has completed.
  boost::asio::awaitable<Verdict> verify(std::string_view credentials, std::chrono::system_clock::time_point now);

  /// Replaces the keys, forgets everything that was verified with the old ones, and retries waiting tokens.
  void replace_keys(std::shared_ptr<KeyRing const> keys) noexcept;

  /// Verifies waiting tokens again. Those whose key is still missing wait on if `KeyMissing` says so.
  void retry_waiting() noexcept;

  /// Refuses the tokens that wait for keys, and lets none wait any more.
  void stop_waiting() noexcept;

  /// Counts a request whose credentials were recalled but which the response cache did not answer; its hits are counted
  /// already.
  void note_recalled() noexcept;

  /// Counts a request without credentials.
  void note_absent() noexcept;

  /// Refuses a request with several Authorization fields without reading them.
  Refused refuse_several();

  /// The counters of outcomes. Safe to read from any thread.
  TokenChecks const& checks() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace deployd::auth
