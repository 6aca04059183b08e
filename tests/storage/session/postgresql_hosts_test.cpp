#include "storage/session/postgresql_hosts.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <vector>

namespace deployd::storage {
namespace {

using Role = PostgresqlHosts::Role;

PostgresqlHosts hosts_of(std::string const& uri) {
  return PostgresqlHosts(std::get<PostgresqlUrl>(parse_database_url(uri).value()));
}

TEST_CASE("the hosts of a URL are connected to one by one, with everything else that the URL says") {
  using Parameters = std::map<std::string, std::string, std::less<>>;
  struct Case {
    std::string uri;
    std::vector<Parameters> hosts;
  };
  auto const c = GENERATE(values<Case>({
      {"postgresql://u@a:1,b:2/db", {{{"host", "a"}, {"port", "1"}}, {{"host", "b"}, {"port", "2"}}}},
      {"postgresql://a,b/db?sslmode=require", {{{"host", "a"}, {"port", ""}}, {{"host", "b"}, {"port", ""}}}},
      {"postgresql:///db?host=a,b&port=7", {{{"host", "a"}, {"port", "7"}}, {{"host", "b"}, {"port", "7"}}}},
      {"postgresql:///db?host=/run/x,::1", {{{"host", "/run/x"}}, {{"host", "::1"}}}},
      {"postgresql://a,b/db?hostaddr=10.0.0.1,10.0.0.2",
       {{{"host", "a"}, {"hostaddr", "10.0.0.1"}, {"port", ""}},
        {{"host", "b"}, {"hostaddr", "10.0.0.2"}, {"port", ""}}}},
  }));
  CAPTURE(c.uri);
  auto const hosts = hosts_of(c.uri);
  REQUIRE(hosts.several());
  for (std::size_t host = 0; host < c.hosts.size(); ++host) {
    auto wanted = hosts.url().parameters;
    for (auto const& [keyword, value] : c.hosts[host]) wanted[keyword] = value;
    wanted["target_session_attrs"] = "primary";
    CHECK(hosts.url(host, Role::primary).parameters == wanted);
    wanted["target_session_attrs"] = "standby";
    CHECK(hosts.url(host, Role::standby).parameters == wanted);
  }
}

TEST_CASE("target_session_attrs says which of several hosts are read from") {
  struct Case {
    std::string attributes;
    ReadFrom read_from;
  };
  auto const c = GENERATE(values<Case>({
      {"", ReadFrom::primary},
      {"?target_session_attrs=read-write", ReadFrom::primary},
      {"?target_session_attrs=primary", ReadFrom::primary},
      {"?target_session_attrs=any", ReadFrom::any},
      {"?target_session_attrs=prefer-standby", ReadFrom::prefer_standby},
      {"?target_session_attrs=standby", ReadFrom::standby},
      {"?target_session_attrs=read-only", ReadFrom::standby},
  }));
  CAPTURE(c.attributes);
  CHECK(hosts_of("postgresql://a,b/db" + c.attributes).read_from() == c.read_from);
  CHECK(hosts_of("postgresql://a/db" + c.attributes).read_from() == ReadFrom::any);
}

TEST_CASE("where nobody listens no host is found, at once") {
  CHECK_FALSE(hosts_of("postgresql://127.0.0.1:1,127.0.0.1:2/db").find(Role::primary));
}

}  // namespace
}  // namespace deployd::storage
