#include "storage/schema/privileges.hpp"

#include "storage/error.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

std::string literal(std::string const& text) {
  std::string out = "'";
  for (char const c : text) out.append(c == '\'' ? 2 : 1, c);
  return out += '\'';
}

}  // namespace

std::string missing_grants(soci::session& sql, std::vector<Privilege> const& needed) {
  std::string values;
  for (auto const& [relation, name] : needed)
    values += (values.empty() ? "(" : ", (") + literal(relation) + ", " + literal(name) + ")";
  std::string grants;
  // Any role can read the catalog, but cannot look up a name in a schema that it may not use.
  sql << "WITH needed AS (SELECT parse_ident(relation) AS parts, privilege FROM (VALUES " + values +
             ") AS v (relation, privilege)), "
             "found AS (SELECT c.oid AS relation, n.oid AS schema, format('%I.%I', n.nspname, c.relname) AS name, "
             "quote_ident(n.nspname) AS schema_name, privilege FROM needed "
             "JOIN pg_catalog.pg_class AS c ON c.relname = parts[array_length(parts, 1)] "
             "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
             "WHERE CASE WHEN array_length(parts, 1) > 1 THEN n.nspname = parts[1] "
             "ELSE pg_catalog.pg_table_is_visible(c.oid) END), "
             "missing AS (SELECT DISTINCT 'GRANT USAGE ON SCHEMA ' || schema_name AS grant_of FROM found "
             "WHERE NOT has_schema_privilege(schema, 'USAGE') "
             "UNION ALL SELECT 'GRANT ' || privilege || ' ON ' || string_agg(name, ', ' ORDER BY name) FROM found "
             "WHERE NOT has_table_privilege(relation, privilege) GROUP BY privilege) "
             "SELECT coalesce(string_agg(grant_of || ' TO ' || quote_ident(current_user), '; ' "
             "ORDER BY grant_of DESC), '') FROM missing",
      soci::into(grants);
  return grants;
}

void require_privileges(soci::session& sql, DatabaseUrl const& url, std::vector<Privilege> const& needed) {
  auto const grants = missing_grants(sql, needed);
  if (grants.empty()) return;
  throw Error(errc::forbidden, describe(url) + ": permission denied; run as the owner of the tables: " + grants);
}

}  // namespace deployd::storage
