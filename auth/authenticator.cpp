#include "auth/authenticator.hpp"

#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "auth/api_token.hpp"
#include "auth/bearer_credentials.hpp"
#include "auth/jwt_verifier.hpp"
#include "auth/token_cache.hpp"

namespace deployd::auth {
namespace {

using std::chrono::system_clock;

// CONTRACT: revocation takes effect within one second; half of it is left for the clocks and the store.
constexpr std::chrono::milliseconds api_token_kept{500};

// The store writes uses down within a minute; more often than this it need not hear of them.
constexpr std::chrono::seconds use_noted_every{15};
constexpr std::size_t max_uses_remembered = 4096;

constexpr std::chrono::seconds store_trouble_logged_every{10};

/// A number for what `parts` say, the same in each worker and process.
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
  // A JWT without a subject is nobody else's but its own.
  auto const key =
      claims.subject ? key_of({"jwt of", claims.issuer.value_or(""), *claims.subject}) : key_of({"jwt", token});
  return {.subject = claims.subject.value_or(""), .key = key};
}

}  // namespace

struct Authenticator::Impl {
  JwtVerifier jwts;
  storage::Store& store;
  TokenCache cache{};
  TokenChecks checks{};
  std::unordered_map<std::int64_t, system_clock::time_point> uses_noted{};
  std::optional<system_clock::time_point> trouble_logged{};

  /// What the store's answer says about an API token.
  Verdict judge(std::string_view credentials, storage::ApiToken const& token, system_clock::time_point now) {
    if (token.revoked) return Refusal::revoked;
    Validity validity{.from = now, .until = now + api_token_kept};
    if (token.expires) {
      // Compared in seconds first: a far expiry does not fit into the clock's nanoseconds.
      if (std::chrono::floor<std::chrono::seconds>(now) >= *token.expires) return Refusal::expired;
      if (*token.expires - std::chrono::floor<std::chrono::seconds>(now) <= std::chrono::seconds(1)) {
        validity.until = std::min<system_clock::time_point>(validity.until, *token.expires);
      }
    }
    note_use(token.id, now);
    return cache.put(credentials, identity_of(token), validity);
  }

  void note_use(std::int64_t id, system_clock::time_point now) {
    auto const known = uses_noted.find(id);
    if (known != uses_noted.end() && now >= known->second && now < known->second + use_noted_every) return;
    if (known == uses_noted.end() && uses_noted.size() >= max_uses_remembered) uses_noted.clear();
    uses_noted.insert_or_assign(id, now);
    store.note_token_used(id);
  }

  Verdict verify_jwt(std::string_view credentials, std::string_view token, system_clock::time_point now) {
    auto good = jwts.verify(token, now);
    if (!good) return good.error();
    return cache.put(credentials, identity_of(good->claims, token), good->validity);
  }

  Verdict counted(Verdict verdict) noexcept {
    if (auto const* const refusal = std::get_if<Refusal>(&verdict))
      checks.refused[static_cast<std::size_t>(*refusal)].add();
    else
      checks.accepted.add();
    return verdict;
  }

  void log_trouble(boost::system::error_code const& trouble, system_clock::time_point now) {
    if (trouble_logged && now >= *trouble_logged && now < *trouble_logged + store_trouble_logged_every) return;
    trouble_logged = now;
    spdlog::warn("API tokens cannot be checked: {}", trouble.message());
  }
};

Authenticator::Authenticator(std::shared_ptr<KeyRing const> keys, storage::Store& store)
    : impl_(new Impl{.jwts = JwtVerifier(std::move(keys)), .store = store}) {}

Authenticator::~Authenticator() = default;

Identity const* Authenticator::recall(std::string_view credentials, system_clock::time_point now) noexcept {
  return impl_->cache.find(credentials, now);
}

void Authenticator::note_refused(Refusal why) noexcept {
  impl_->counted(why);
}

void Authenticator::note_recalled() noexcept {
  impl_->checks.recalled_without_hit.add();
}

TokenChecks const& Authenticator::checks() const noexcept {
  return impl_->checks;
}

boost::asio::awaitable<Verdict> Authenticator::verify(std::string_view credentials, system_clock::time_point now) {
  auto const token = bearer_token(credentials);
  if (!token) co_return impl_->counted(token.error());
  if (!looks_like_api_token(*token)) co_return impl_->counted(impl_->verify_jwt(credentials, *token, now));

  auto const hash = hash_of(*token);
  auto answer = co_await impl_->store.api_token(hash);
  if (!answer) {
    impl_->log_trouble(answer.error(), now);
    co_return impl_->counted(Refusal::store_unavailable);
  }
  auto const& known = *answer;
  if (!known) co_return impl_->counted(Refusal::unknown_token);
  co_return impl_->counted(impl_->judge(credentials, *known, now));
}

void Authenticator::replace_keys(std::shared_ptr<KeyRing const> keys) noexcept {
  impl_->jwts = JwtVerifier(std::move(keys));
  impl_->cache.clear();
}

}  // namespace deployd::auth
