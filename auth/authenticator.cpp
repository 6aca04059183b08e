#include "auth/authenticator.hpp"

#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "auth/api_token.hpp"
#include "auth/bearer_credentials.hpp"
#include "auth/jwt/verifier.hpp"
#include "auth/refusal_report.hpp"
#include "auth/token_cache.hpp"
#include "auth/unknown_tokens.hpp"
#include "base/wait_for_outcome.hpp"

namespace deployd::auth {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// CONTRACT: revocation takes effect within one second. The other half second is for clock differences and the store.
constexpr std::chrono::milliseconds api_token_kept{500};

// Uses are written to the store within a minute, so recording one more often than this is not needed.
constexpr std::chrono::seconds use_noted_every{15};
constexpr std::size_t max_uses_remembered = 4096;

constexpr std::chrono::seconds store_trouble_logged_every{10};

// Limits the memory that tokens with invented names of keys can take.
constexpr std::size_t max_waiting = 1000;

using JwtVerdict = boost::system::result<GoodJwt, Fault>;

/// A request that waits for the key of its token.
struct Waiter {
  Waiter(std::list<Waiter*>& waiting, boost::asio::any_io_executor const& executor, steady_clock::time_point deadline)
      : all(waiting), place(all.insert(all.end(), this)), timer(executor, deadline) {}
  Waiter(Waiter const&) = delete;
  Waiter& operator=(Waiter const&) = delete;
  ~Waiter() { all.erase(place); }

  void wake() {
    woken = true;
    timer.cancel();
  }

  std::list<Waiter*>& all;
  std::list<Waiter*>::iterator place;
  boost::asio::steady_timer timer;
  bool woken = false;
};

/// Returns a number derived from `parts` that is the same in each worker and process.
std::uint64_t key_of(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto const part : parts) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  auto const hash = hash_of(text);
  std::uint64_t key = 0;
  std::memcpy(&key, hash.data(), sizeof key);
  return key;
}

Identity identity_of(storage::ApiToken const& token) {
  return {.subject = token.name, .key = key_of({"api token", std::to_string(token.id)})};
}

Identity identity_of(JwtClaims const& claims, std::string_view token) {
  // JWTs without a subject must not share a key, so the key is derived from the whole token.
  auto const key =
      claims.subject ? key_of({"jwt of", claims.issuer.value_or(""), *claims.subject}) : key_of({"jwt", token});
  return {.subject = claims.subject.value_or(""), .key = key};
}

}  // namespace

struct Authenticator::Impl {
  std::shared_ptr<KeyRing const> keys;
  storage::Store& store;
  RefusalLog* log;
  KeyMissing key_missing;
  JwtVerifier jwts{keys};
  TokenCache cache{};
  UnknownTokens unknown{};
  TokenChecks checks{};
  std::unordered_map<std::int64_t, system_clock::time_point> uses_noted{};
  std::optional<system_clock::time_point> trouble_logged{};
  std::list<Waiter*> waiting{};
  bool stopped = false;

  /// Returns the verdict on an API token that is in the store.
  Verdict judge(std::string_view credentials, storage::ApiToken const& token, system_clock::time_point now) {
    if (auto const refusal = refusal_of(token, now))
      return refuse(*refusal, [&] { return report_refusal(*refusal, token, now); });
    Validity validity{.from = now, .until = now + api_token_kept};
    // A far expiry does not fit into the clock's nanoseconds.
    if (token.expires && *token.expires - std::chrono::floor<std::chrono::seconds>(now) <= std::chrono::seconds(1))
      validity.until = std::min<system_clock::time_point>(validity.until, *token.expires);
    note_use(token.id, now);
    return accept(credentials, identity_of(token), validity);
  }

  void note_use(std::int64_t id, system_clock::time_point now) {
    auto const known = uses_noted.find(id);
    if (known != uses_noted.end() && now >= known->second && now < known->second + use_noted_every) return;
    if (known == uses_noted.end() && uses_noted.size() >= max_uses_remembered) uses_noted.clear();
    uses_noted.insert_or_assign(id, now);
    store.note_token_used(id);
  }

  /// Verifies a token whose key `kid` is missing whenever the keys may have changed. `refusal` is the verdict until
  /// then.
  boost::asio::awaitable<JwtVerdict> verify_with_newer_keys(std::string_view token, system_clock::time_point now,
                                                            Fault refusal, std::optional<std::string> kid) {
    JwtVerdict verdict = refusal;
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const start = steady_clock::now();
    auto passed = steady_clock::duration::zero();
    while (kid && passed < longest_wait_for_key) {
      if (stopped || waiting.size() >= max_waiting || !key_missing(*kid)) break;
      Waiter waiter(waiting, executor, start + longest_wait_for_key);
      co_await base::wait_for_outcome(waiter.timer, waiter.woken);
      passed = steady_clock::now() - start;
      kid.reset();
      verdict = jwts.verify(token, now + passed, &kid);
    }
    co_return verdict;
  }

  Verdict judge(std::string_view credentials, std::string_view token, JwtVerdict good, system_clock::time_point now) {
    if (!good) return refuse(good.error().why, [&] { return report_refusal(good.error(), token, *keys, now); });
    return accept(credentials, identity_of(good->claims, token), good->validity);
  }

  Verdict accept(std::string_view credentials, Identity identity, Validity const& validity) {
    checks.accepted.add();
    return cache.put(credentials, std::move(identity), validity);
  }

  void count(Refusal why) noexcept { checks.refused[static_cast<std::size_t>(why)].add(); }

  /// Calls `report` only when a log line is due.
  template <typename Report>
  Refused refuse(Refusal why, Report const& report) {
    count(why);
    if (log == nullptr || !spdlog::should_log(spdlog::level::info)) return {why, {}};
    auto const others = log->admit(why, RefusalLog::Clock::now());
    if (!others) return {why, {}};
    auto line = report();
    if (*others > 0)
      line += " (and " + std::to_string(*others) + " others for this reason since the last line about it)";
    return {why, std::move(line)};
  }

  Refused refuse(Fault const& fault) {
    return refuse(fault.why, [&fault] { return report_refusal(fault); });
  }

  void log_trouble(boost::system::error_code const& trouble, system_clock::time_point now) {
    if (trouble_logged && now >= *trouble_logged && now < *trouble_logged + store_trouble_logged_every) return;
    trouble_logged = now;
    spdlog::warn("API tokens cannot be checked: {}", trouble.message());
  }
};

Authenticator::Authenticator(std::shared_ptr<KeyRing const> keys, storage::Store& store, RefusalLog* log,
                             KeyMissing key_missing)
    : impl_(new Impl{.keys = std::move(keys), .store = store, .log = log, .key_missing = std::move(key_missing)}) {}

Authenticator::~Authenticator() = default;

Identity const* Authenticator::recall(std::string_view credentials, system_clock::time_point now) noexcept {
  return impl_->cache.find(credentials, now);
}

void Authenticator::note_absent() noexcept {
  impl_->count(Refusal::no_credentials);
}

Refused Authenticator::refuse_several() {
  return impl_->refuse({Refusal::malformed, "the request has more than one Authorization field"});
}

void Authenticator::note_recalled() noexcept {
  impl_->checks.recalled_without_hit.add();
}

TokenChecks const& Authenticator::checks() const noexcept {
  return impl_->checks;
}

boost::asio::awaitable<Verdict> Authenticator::verify(std::string_view credentials, system_clock::time_point now) {
  auto const token = bearer_token(credentials);
  if (!token) co_return impl_->refuse(token.error());
  if (!looks_like_api_token(*token)) {
    std::optional<std::string> missing_kid;
    auto good = impl_->jwts.verify(*token, now, impl_->key_missing ? &missing_kid : nullptr);
    if (missing_kid) {
      auto later = impl_->verify_with_newer_keys(*token, now, good.error(), std::move(missing_kid));
      good = co_await std::move(later);
    }
    co_return impl_->judge(credentials, *token, std::move(good), now);
  }

  auto const hash = hash_of(*token);
  if (impl_->unknown.contains(hash, now)) co_return impl_->refuse(Refusal::unknown_token);
  auto answer = co_await impl_->store.api_token(hash);
  if (!answer) {
    impl_->log_trouble(answer.error(), now);
    impl_->count(Refusal::store_unavailable);
    co_return Refused{Refusal::store_unavailable, {}};
  }
  auto const& known = *answer;
  if (!known) {
    impl_->unknown.note(hash, now);
    co_return impl_->refuse(Refusal::unknown_token);
  }
  co_return impl_->judge(credentials, *known, now);
}

void Authenticator::replace_keys(std::shared_ptr<KeyRing const> keys) noexcept {
  impl_->keys = keys;
  impl_->jwts = JwtVerifier(std::move(keys));
  impl_->cache.clear();
  retry_waiting();
}

void Authenticator::retry_waiting() noexcept {
  for (auto* const waiter : impl_->waiting) waiter->wake();
}

void Authenticator::stop_waiting() noexcept {
  impl_->stopped = true;
  retry_waiting();
}

}  // namespace deployd::auth
