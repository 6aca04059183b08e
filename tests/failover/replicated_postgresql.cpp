#include "tests/failover/replicated_postgresql.hpp"

#include <stdexcept>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {

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
}

std::string ReplicatedPostgresql::url(std::string_view attributes) const {
  auto const host = [](PostgresqlServer const& server) { return "127.0.0.1:" + std::to_string(server.port()); };
  auto url = "postgresql://postgres@" + host(*standby_) + "," + host(primary_) + "/" + database_;
  if (!attributes.empty()) url.append("?target_session_attrs=").append(attributes);
  return url;
}

}  // namespace deployd::tests
