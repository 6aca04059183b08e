// Whose token is this, until when, or why not.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
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

/// Good credentials, or why they are not. The pointer is valid until the next call of the same Authenticator.
using Verdict = std::variant<Identity const*, Refused>;

/// Checks the credentials of one worker's requests. Not to be shared between threads.
class Authenticator {
 public:
  /// `store` and `log` must outlive the authenticator. Without a log refusals have no report.
  Authenticator(std::shared_ptr<KeyRing const> keys, storage::Store& store, RefusalLog* log = nullptr);
  ~Authenticator();

  /// The warm path: the identity that these very bytes were verified as before, if they still are good at `now`.
  /// No allocation, no waiting. `credentials` is the raw value of the Authorization field.
  Identity const* recall(std::string_view credentials, std::chrono::system_clock::time_point now) noexcept;

  /// Verifies credentials. For an API token this may ask the store; a store that does not answer is
  /// `Refusal::store_unavailable`. What is good is remembered, at most until it expires; an API token at most half a
  /// second, so that revocation takes effect in time. That the store does not have an API token is remembered as long,
  /// in little memory. `credentials` must live until the call is done.
  boost::asio::awaitable<Verdict> verify(std::string_view credentials, std::chrono::system_clock::time_point now);

  /// Puts other keys in force and forgets everything that was verified with the old ones.
  void replace_keys(std::shared_ptr<KeyRing const> keys) noexcept;

  /// Counts a request whose credentials were recalled and that no kept answer answers: those are counted already.
  void note_recalled() noexcept;

  /// Counts a request without credentials.
  void note_absent() noexcept;

  /// Refuses a request with several fields of credentials, none of which is looked at.
  Refused refuse_several();

  /// How the checks ended so far. Any thread.
  TokenChecks const& checks() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace deployd::auth
