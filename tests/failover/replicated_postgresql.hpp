// A PostgreSQL with a standby, and deployd's store in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/postgresql_server.hpp"

namespace deployd::tests {

/// What has been acknowledged by the primary has been written by the standby, though it may not be seen there yet.
class ReplicatedPostgresql {
 public:
  /// The store holds one pattern and deployment 1, and a token, which can be seen on the standby as well.
  ReplicatedPostgresql();

  PostgresqlServer& primary() noexcept { return primary_; }
  PostgresqlServer& standby() noexcept { return *standby_; }
  std::string const& token() const noexcept { return token_; }

  /// The URL of both hosts, the standby first; with `target_session_attrs=attributes` if there are any.
  std::string url(std::string_view attributes = {}) const;

 private:
  PostgresqlServer primary_;
  std::unique_ptr<PostgresqlServer> standby_;
  std::string database_;
  std::string token_;
};

}  // namespace deployd::tests
