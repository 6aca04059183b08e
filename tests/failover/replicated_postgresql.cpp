#include "tests/failover/replicated_postgresql.hpp"

#include <chrono>
#include <stdexcept>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

std::string ask(PostgresqlServer const& server, std::string const& question) {
  auto const session = storage::open_session(*storage::parse_database_url(server.url()), storage::Access::read);
  std::string answer;
  *session << question, soci::into(answer);
  return answer;
}

/// Waits until what the primary has now can be seen on the standby.
void wait_for_replay(PostgresqlServer const& primary, PostgresqlServer const& standby) {
  auto const written = ask(primary, "SELECT pg_current_wal_lsn()::text");
  auto const question = "SELECT (pg_last_wal_replay_lsn() >= '" + written + "')::text";
  if (!eventually(std::chrono::seconds(30), [&] { return ask(standby, question) == "true"; }))
    throw std::runtime_error("the standby does not get what the primary has");
}

}  // namespace

ReplicatedPostgresql::ReplicatedPostgresql() : primary_("synchronous_commit = on\n") {
  auto const created = primary_.create_database();
  database_ = created.substr(created.rfind('/') + 1);
  standby_ = std::make_unique<PostgresqlServer>(primary_, "cluster_name = 'standby'\n");
  auto const imported = run_deployd({"import", "--database", url(), "-"}, {},
                                    R"({"patterns":[{"id":1,"name":"P"}],)"
                                    R"("deployments":[{"id":1,"pattern_id":1,"name":"0"}]})");
  if (imported.status != 0) throw std::runtime_error(imported.err);
  auto const made = run_deployd({"token", "create", "--database", url("any"), "--name", "test"});
  if (made.status != 0) throw std::runtime_error(made.err);
  token_ = made.out.substr(0, made.out.find('\n'));
  primary_.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
  primary_.execute("SELECT pg_reload_conf()");
  wait_for_replay(primary_, *standby_);
}

std::string ReplicatedPostgresql::url(std::string_view attributes) const {
  auto const host = [](PostgresqlServer const& server) { return "127.0.0.1:" + std::to_string(server.port()); };
  auto url = "postgresql://postgres@" + host(*standby_) + "," + host(primary_) + "/" + database_;
  if (!attributes.empty()) url.append("?target_session_attrs=").append(attributes);
  return url;
}

}  // namespace deployd::tests
