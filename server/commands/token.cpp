// `token create`, `token list`, `token revoke` and `token sign`.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdlib>

#include "auth/api_token.hpp"
#include "auth/jwt/signer.hpp"
#include "auth/key_error.hpp"
#include "auth/refusal_report.hpp"
#include "base/utf8.hpp"
#include "server/commands/commands.hpp"
#include "server/options/serve_options.hpp"
#include "server/options/values.hpp"
#include "storage/tokens/token_admin.hpp"

namespace deployd::server {
namespace {

constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365 * 100);

std::chrono::seconds to_lifetime(std::string_view text) {
  return std::chrono::floor<std::chrono::seconds>(parse_duration(text, {std::chrono::seconds(1), longest}));
}

/// Parses a name, which must fit into one line of a list.
std::string to_name(std::string_view text) {
  if (text.empty() || text.size() > 200) throw std::invalid_argument("a name has 1 to 200 bytes");
  if (!base::is_utf8(text)) throw std::invalid_argument("the name is not UTF-8");
  for (char const c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      throw std::invalid_argument("the name holds a control character");
  return std::string(text);
}

std::string to_subject(std::string_view text) {
  if (text.empty()) throw std::invalid_argument("a subject is not empty");
  if (!base::is_utf8(text)) throw std::invalid_argument("the subject is not UTF-8");
  return std::string(text);
}

std::string show(std::chrono::sys_seconds time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string show(std::optional<std::chrono::sys_seconds> time, std::string_view otherwise) {
  return time ? show(*time) : std::string(otherwise);
}

std::string as_table(std::vector<storage::TokenRecord> const& tokens) {
  auto text =
      fmt::format("{:<6} {:<20} {:<20} {:<20} {:<20} {}\n", "ID", "CREATED", "EXPIRES", "LAST USED", "REVOKED", "NAME");
  for (auto const& token : tokens)
    text += fmt::format("{:<6} {:<20} {:<20} {:<20} {:<20} {}\n", token.id, show(token.created),
                        show(token.expires, "never"), show(token.last_used, "never"), show(token.revoked, "no"),
                        base::to_valid_utf8(token.name));
  return text;
}

std::string as_json(std::vector<storage::TokenRecord> const& tokens) {
  auto const to_value = [](std::optional<std::chrono::sys_seconds> time) {
    return time ? boost::json::value(show(*time)) : boost::json::value();
  };
  boost::json::array all;
  for (auto const& token : tokens)
    all.push_back({{"id", token.id},
                   {"name", base::to_valid_utf8(token.name)},
                   {"created", show(token.created)},
                   {"expires", to_value(token.expires)},
                   {"last_used", to_value(token.last_used)},
                   {"revoked", to_value(token.revoked)}});
  return boost::json::serialize(all) + '\n';
}

/// Returns the id in `text`, or nothing if it can only be a name.
std::optional<std::int64_t> to_id(std::string_view text) {
  try {
    return static_cast<std::int64_t>(parse_count(text, {1, INT64_MAX}));
  } catch (std::invalid_argument const&) {
    return std::nullopt;
  }
}

}  // namespace

int run_token_create(Settings const& settings, Operands const&) {
  auto const place = read_store_place(settings);
  auto const name = settings.require("name", to_name);
  std::optional<std::chrono::sys_seconds> expires;
  // Rounded up: a token is valid for at least the requested time.
  if (auto const lifetime = settings.read("expires", to_lifetime))
    expires = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()) + *lifetime;
  auto const token = auth::make_api_token();
  auto const id = storage::add_token(place.url, place.relations, name, auth::hash_of(token), expires);
  try {
    print(token + '\n');
  } catch (OutputError const&) {
    storage::revoke_token(place.url, place.relations, id);  // the token was not printed, so it must not stay valid
    throw;
  }
  return 0;
}

int run_token_list(Settings const& settings, Operands const&) {
  auto const place = read_store_place(settings);
  enum class Format { text, json };
  auto const format =
      settings.read("format", one_of<Format>({{"text", Format::text}, {"json", Format::json}})).value_or(Format::text);
  auto const tokens = storage::list_tokens(place.url, place.relations);
  print(format == Format::json ? as_json(tokens) : as_table(tokens));
  return 0;
}

int run_token_revoke(Settings const& settings, Operands const& ids) {
  auto const& id_or_name = ids.front();
  auto const place = read_store_place(settings);
  auto const revoke = [&](std::int64_t id) { return storage::revoke_token(place.url, place.relations, id); };
  auto const id = to_id(id_or_name);
  if (id && revoke(*id)) {
    print(fmt::format("Revoked token {}.\n", *id));
    return 0;
  }
  auto const named = storage::find_tokens(place.url, place.relations, id_or_name);
  if (named.empty())
    throw DataError(
        fmt::format("there is no token with the {} {} that could be revoked; `deployd token list` lists the tokens",
                    id ? "id or name" : "name", auth::in_quotes(id_or_name)));
  if (named.size() > 1)
    throw DataError(fmt::format("{} tokens have the name {}; revoke them by id: {}", named.size(),
                                auth::in_quotes(id_or_name), fmt::join(named, ", ")));
  revoke(named.front());
  print(fmt::format("Revoked token {}.\n", named.front()));
  return 0;
}

int run_token_sign(Settings const& settings, Operands const&) {
  auto const subject = settings.require("subject", to_subject);
  auto const lifetime = settings.read("ttl", to_lifetime).value_or(std::chrono::hours(1));
  auto const keys = read_key_options(settings);
  if (!keys.secret) throw ConfigurationError("token sign needs a secret: give --jwt-secret-file or DEPLOYD_JWT_SECRET");
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  try {
    print(auth::sign_hs256({subject, now, now + lifetime, keys.issuer, keys.audience}, *keys.secret) + '\n');
  } catch (auth::KeyError const& failure) {
    throw auth::KeyError(keys.secret_origin + ": " + failure.what());
  } catch (std::invalid_argument const& failure) {
    throw ConfigurationError(fmt::format("token sign: {}", failure.what()));
  }
  return 0;
}

}  // namespace deployd::server
