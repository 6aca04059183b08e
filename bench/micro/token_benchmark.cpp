// Verification of tokens: from the cache, and in full.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "auth/api_token.hpp"
#include "auth/authenticator.hpp"
#include "auth/jwt/key_ring.hpp"
#include "bench/micro/sample_store.hpp"
#include "tests/auth/signing.hpp"
#include "tests/process.hpp"

namespace deployd::bench {
namespace {

using std::chrono::system_clock;

constexpr std::string_view claims =
    R"({"sub":"jane","iss":"https://id.example.com","iat":1700000000,"exp":4102444800})";
std::string const secret(32, 's');
std::string hs256_token() {
  return tests::jwt(tests::SigningKey::hmac(secret), "HS256", claims);
}

/// An authenticator that accepts every token measured here.
class Doorkeeper {
 public:
  Doorkeeper() { sample.add_token(api_token); }

  SampleStore sample;
  std::string api_token = auth::make_api_token();
  auth::Authenticator authenticator{load_keys(), sample.store()};

 private:
  static std::shared_ptr<auth::KeyRing const> load_keys() {
    tests::TemporaryDirectory const files;
    return auth::KeyRing::load({.secret = secret,
                                .public_key_files = {files.write("es256.pem", tests::p256_key().public_pem()),
                                                     files.write("rs256.pem", tests::rsa_key().public_pem())}});
  }
};

Doorkeeper& doorkeeper() {
  static Doorkeeper only;
  return only;
}

boost::asio::awaitable<void> verify_again_and_again(benchmark::State& state, std::string credentials) {
  auto& authenticator = doorkeeper().authenticator;
  for (auto _ : state) {
    auto verdict = co_await authenticator.verify(credentials, system_clock::now());
    if (std::holds_alternative<auth::Refused>(verdict)) throw std::logic_error("a good token is refused");
    benchmark::DoNotOptimize(verdict);
  }
}

void verify(benchmark::State& state, std::string_view token) {
  doorkeeper().sample.run(verify_again_and_again(state, "Bearer " + std::string(token)));
}

void verify_api_token(benchmark::State& state) {
  verify(state, doorkeeper().api_token);
}
BENCHMARK(verify_api_token);

void verify_hs256(benchmark::State& state) {
  verify(state, hs256_token());
}
BENCHMARK(verify_hs256);

void verify_es256(benchmark::State& state) {
  verify(state, tests::jwt(tests::p256_key(), "ES256", claims));
}
BENCHMARK(verify_es256);

void verify_rs256(benchmark::State& state) {
  verify(state, tests::jwt(tests::rsa_key(), "RS256", claims));
}
BENCHMARK(verify_rs256);

void recall_token(benchmark::State& state) {
  auto const credentials = "Bearer " + hs256_token();
  auto& authenticator = doorkeeper().authenticator;
  auto const now = system_clock::now();
  auto verify_once = [](auth::Authenticator& by, std::string const& what,
                        system_clock::time_point when) -> boost::asio::awaitable<void> {
    co_await by.verify(what, when);
  };
  doorkeeper().sample.run(verify_once(authenticator, credentials, now));
  for (auto _ : state) {
    auto const* identity = authenticator.recall(credentials, now);
    if (identity == nullptr) throw std::logic_error("a token is not remembered");
    benchmark::DoNotOptimize(identity);
  }
}
BENCHMARK(recall_token);

}  // namespace
}  // namespace deployd::bench
