#include "storage/tokens/token_admin.hpp"

#include <soci/soci.h>

#include "storage/error.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

using std::chrono::sys_seconds;

std::string table_of(DatabaseUrl const& url) {
  return std::holds_alternative<SqliteUrl>(url) ? "api_tokens" : "deployd.api_tokens";
}

/// Returns the statement that begins a writing transaction. On SQLite it takes the lock at once, where it is possible
/// to wait for it.
std::string begin_writing(DatabaseUrl const& url) {
  return std::holds_alternative<SqliteUrl>(url) ? "BEGIN IMMEDIATE" : "BEGIN";
}

/// Checks that tokens can be stored: beside relations of another program deployd may have no tables. Called first,
/// because elsewhere their absence is only a warning.
void require_place(DatabaseUrl const& url, Relations const& relations) {
  if (!may_have_own_tables(url, relations))
    throw Error(errc::forbidden, describe(url) +
                                     ": API tokens cannot be stored: beside other programs' relations deployd "
                                     "needs a schema 'deployd' of its own, which this role may not create or use");
}

/// Throws `Error` with the GRANTs on the table of tokens that this role lacks.
void require(soci::session& sql, DatabaseUrl const& url, std::vector<std::string> const& names) {
  if (std::holds_alternative<SqliteUrl>(url)) return;
  std::vector<Privilege> privileges;
  privileges.reserve(names.size());
  for (auto const& name : names) privileges.push_back({table_of(url), name});
  require_privileges(sql, url, privileges);
}

std::string hash_literal(DatabaseUrl const& url, Sha256 const& hash) {
  return std::holds_alternative<SqliteUrl>(url) ? "x'" + hex(hash) + "'" : "decode('" + hex(hash) + "', 'hex')";
}

long long unix_seconds(sys_seconds time) {
  return time.time_since_epoch().count();
}

long long unix_now() {
  return unix_seconds(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

/// A column of unix seconds that may be NULL.
struct OptionalTime {
  long long value = 0;
  soci::indicator indicator = soci::i_null;

  std::optional<sys_seconds> time() const {
    if (indicator == soci::i_null) return std::nullopt;
    return sys_seconds(std::chrono::seconds(value));
  }
};

}  // namespace

std::int64_t add_token(DatabaseUrl const& url, Relations const& relations, std::string_view name, Sha256 const& hash,
                       std::optional<sys_seconds> expires) {
  require_place(url, relations);
  migrate(url, relations);
  return translating(url, [&] {
    auto const session = open_session(url, Access::write);
    auto& sql = *session;
    require(sql, url, {"INSERT", "SELECT"});
    std::string const token_name(name);
    long long const created = unix_now();
    OptionalTime expiry;
    if (expires) expiry = {unix_seconds(*expires), soci::i_ok};
    long long id = 0;
    Transaction transaction(sql, begin_writing(url));
    auto const insert = "INSERT INTO " + table_of(url) + " (name, hash, created, expires) VALUES (:name, " +
                        hash_literal(url, hash) + ", :created, :expires) RETURNING id";
    sql << insert, soci::use(token_name, "name"), soci::use(created, "created"),
        soci::use(expiry.value, expiry.indicator, "expires"), soci::into(id);
    transaction.commit();
    return id;
  });
}

std::vector<TokenRecord> list_tokens(DatabaseUrl const& url, Relations const& relations) {
  require_place(url, relations);
  require_current_schema(url, relations);
  return translating(url, [&] {
    auto const session = open_session(url, Access::read);
    require(*session, url, {"SELECT"});
    long long id = 0;
    std::string name;
    long long created = 0;
    OptionalTime expires;
    OptionalTime last_used;
    OptionalTime revoked;
    soci::statement rows =
        (session->prepare << "SELECT id, name, created, expires, last_used, revoked FROM " + table_of(url) +
                                 " ORDER BY id",
         soci::into(id), soci::into(name), soci::into(created), soci::into(expires.value, expires.indicator),
         soci::into(last_used.value, last_used.indicator), soci::into(revoked.value, revoked.indicator));
    rows.execute();
    std::vector<TokenRecord> tokens;
    while (rows.fetch())
      tokens.push_back({.id = id,
                        .name = name,
                        .created = sys_seconds(std::chrono::seconds(created)),
                        .expires = expires.time(),
                        .last_used = last_used.time(),
                        .revoked = revoked.time()});
    return tokens;
  });
}

std::vector<std::int64_t> find_tokens(DatabaseUrl const& url, Relations const& relations, std::string_view name) {
  std::vector<std::int64_t> ids;
  for (auto const& token : list_tokens(url, relations))
    if (token.name == name && !token.revoked) ids.push_back(token.id);
  return ids;
}

bool has_valid_token(DatabaseUrl const& url, std::chrono::milliseconds timeout) {
  return translating(url, [&] {
    auto const session = open_session(url, Access::read, timeout);
    int found = 0;
    *session << "SELECT count(*) FROM (SELECT 1 FROM " << table_of(url)
             << " WHERE revoked IS NULL AND (expires IS NULL "
             << "OR expires > " << unix_now() << ") LIMIT 1) AS valid",
        soci::into(found);
    return found != 0;
  });
}

bool revoke_token(DatabaseUrl const& url, Relations const& relations, std::int64_t id) {
  require_place(url, relations);
  require_current_schema(url, relations);
  return translating(url, [&] {
    auto const session = open_session(url, Access::write);
    auto& sql = *session;
    require(sql, url, {"SELECT", "UPDATE"});
    long long const token = id;
    long long const now = unix_now();
    long long known = 0;
    Transaction transaction(sql, begin_writing(url));
    sql << "UPDATE " + table_of(url) + " SET revoked = coalesce(revoked, :now) WHERE id = :id RETURNING id",
        soci::use(now, "now"), soci::use(token, "id"), soci::into(known);
    bool const revoked = sql.got_data();
    transaction.commit();
    return revoked;
  });
}

}  // namespace deployd::storage
