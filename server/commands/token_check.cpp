// `token check`: reports whether the server with these options would accept a token, and if not why.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "auth/api_token.hpp"
#include "auth/bearer_credentials.hpp"
#include "auth/jwt/verifier.hpp"
#include "auth/refusal_report.hpp"
#include "base/byte_order_mark.hpp"
#include "server/commands/commands.hpp"
#include "server/event_loop.hpp"
#include "server/keys/kept_keys.hpp"
#include "server/keys/key_refresher.hpp"
#include "server/options/serve_options.hpp"
#include "storage/database.hpp"
#include "storage/error.hpp"

namespace deployd::server {
namespace {

using std::chrono::system_clock;

constexpr int accepted = 0;
constexpr int refused = 65;

// More than fits into the header of a request.
constexpr std::size_t most_bytes = std::size_t{17} << 20;

constexpr std::string_view bearer = "Bearer ";

/// Returns the credentials on standard input as the value of an Authorization field, with or without the scheme.
std::string read_credentials() {
  std::string text;
  std::string block(65536, '\0');
  while (text.size() <= most_bytes) {
    std::cin.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (std::cin.gcount() == 0) break;
    text.append(block, 0, static_cast<std::size_t>(std::cin.gcount()));
  }
  std::string_view token = base::without_byte_order_mark(text);
  if (token.ends_with('\n')) token.remove_suffix(1);
  if (token.ends_with('\r')) token.remove_suffix(1);
  auto const found = auth::bearer_token(token);
  bool const bare = !found && found.error() == auth::Refusal::no_credentials;
  return (bare ? std::string(bearer) : "") + std::string(token);
}

int refuse(std::string const& why) {
  print(fmt::format("refused: {}\n", why));
  return refused;
}

std::string until(system_clock::time_point time, system_clock::time_point now) {
  auto const second = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("until {:%FT%TZ} (for {})", fmt::gmtime(system_clock::to_time_t(second)),
                     auth::in_units(second - std::chrono::floor<std::chrono::seconds>(now)));
}

/// Returns the keys of a location: those that are fetched, or else those that are kept.
std::vector<auth::Key> keys_of(KeyLocation const& location, KeySourceOptions const& options,
                               std::shared_ptr<boost::asio::ssl::context> const& trust) {
  auto const fetched = fetch_keys(location, trust);
  if (fetched) {
    spdlog::info("{}: fetched {}", name_of(location), describe_keys(fetched->set->keys));
    for (auto const& line : fetched->set->complaints) spdlog::warn("{}", line);
    return fetched->set->keys;
  }
  spdlog::warn("keys not fetched: {}", fetched.error().what);
  if (!options.state_directory) return {};
  try {
    auto kept = read_kept_keys(*options.state_directory, location);
    if (!kept) return {};
    spdlog::info("{}: kept {}", name_of(location), describe_keys(kept->set.keys));
    return std::move(kept->set.keys);
  } catch (std::runtime_error const& failure) {
    spdlog::warn("kept keys are not used: {}", failure.what());
    return {};
  }
}

std::shared_ptr<auth::KeyRing const> load_ring(auth::KeyRingOptions const& options, KeySourceOptions const& sources) {
  auto const local = auth::KeyRing::load(options);
  auto const trust = KeyRefresher::trust_for(sources);
  std::vector<auth::Key> fetched;
  for (auto const& location : sources.locations)
    std::ranges::move(keys_of(location, sources, trust), std::back_inserter(fetched));
  return auth::KeyRing::with_keys(*local, fetched);
}

int check_jwt(std::string_view token, auth::KeyRingOptions const& options, KeySourceOptions const& sources) {
  auto const ring = load_ring(options, sources);
  for (auto const& line : ring->complaints()) spdlog::warn("{}", line);
  auto const now = system_clock::now();
  auto const good = auth::JwtVerifier(ring).verify(token, now);
  if (!good) return refuse(auth::report_refusal(good.error(), token, *ring, now));
  auto const& subject = good->claims.subject;
  print(fmt::format("accepted: the token of {}, {}\n", subject ? auth::in_quotes(*subject) : "nobody named (no sub)",
                    until(good->validity.until, now)));
  return accepted;
}

std::optional<storage::ApiToken> find_api_token(Settings const& settings, std::string_view token) {
  auto options = read_database_options(settings);
  options.sessions = 1;
  auto const database = storage::open_database(options);
  boost::asio::io_context loop;
  auto const store = database->store_for(loop.get_executor());
  auto const hash = auth::hash_of(token);
  auto question = store->api_token(hash);
  auto found = complete(loop, std::move(question));
  if (!found)
    throw storage::Error(storage::errc::unavailable,
                         fmt::format("{}: {}", storage::describe(options.url), found.error().message()));
  return *std::move(found);
}

int check_api_token(Settings const& settings, std::string_view token) {
  auto const known = find_api_token(settings, token);
  if (!known) return refuse(auth::report_refusal(auth::Fault(auth::Refusal::unknown_token)));
  auto const now = system_clock::now();
  if (auto const why = auth::refusal_of(*known, now)) return refuse(auth::report_refusal(*why, *known, now));
  print(fmt::format("accepted: the API token {} {}, {}\n", known->id, auth::in_quotes(known->name),
                    known->expires ? until(*known->expires, now) : "until it is revoked"));
  return accepted;
}

}  // namespace

int run_token_check(Settings const& settings, Operands const&) {
  auto const keys = read_key_options(settings);
  auto const sources = read_key_source_options(settings);
  auto const most = read_max_header_bytes(settings);
  auto const credentials = read_credentials();
  if (credentials.size() <= bearer.size()) return refuse("there is no token on standard input");
  auto const least_header = std::string_view("Host:\r\nAuthorization: \r\n").size() + credentials.size();
  if (least_header > most)
    return refuse(
        fmt::format("the token is too long: a request with it has a header of at least {} bytes, and "
                    "--max-header-bytes allows {}",
                    least_header, most));
  auto const token = auth::bearer_token(credentials);
  if (!token)
    return refuse(auth::report_refusal(
        {auth::Refusal::malformed,
         "it contains characters that a bearer token cannot have, such as spaces or line breaks"}));
  return auth::looks_like_api_token(*token) ? check_api_token(settings, *token) : check_jwt(*token, keys, sources);
}

}  // namespace deployd::server
