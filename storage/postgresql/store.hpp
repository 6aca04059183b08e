// The store in a PostgreSQL database.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "storage/database.hpp"
#include "storage/postgresql/changes.hpp"
#include "storage/postgresql/connector.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/tokens/token_uses.hpp"

namespace deployd::storage {

/// Created by `open_database` for a `postgresql:` URL. Each worker has a share of the sessions on its own event loop.
/// Long lists have a session each, in addition and half as many.
class PostgresqlDatabase final : public Database {
 public:
  /// The schema must be current. Throws `Error`.
  explicit PostgresqlDatabase(DatabaseOptions options);

  std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) override;
  bool has_api_tokens() override { return own_tables_ && has_valid_token(options_.url, options_.timeout); }
  LeftOutRows const& left_out_rows() const noexcept override { return left_out_; }
  DatabaseState state() const override;
  DescriptorNeeds descriptor_needs() const noexcept override;

  // For the stores of the workers:

  DatabaseOptions const& options() const noexcept { return options_; }
  PostgresqlQueries const& queries() const noexcept { return queries_; }
  LeftOutRows& left_out() noexcept { return left_out_; }
  PostgresqlConnector& connector() noexcept { return connector_; }
  TokenUses* token_uses() noexcept { return token_uses_ ? &*token_uses_ : nullptr; }
  std::optional<std::uint64_t> data_version() const noexcept;

 private:
  /// The number of sessions of the store with this number, counted from 0.
  std::size_t sessions_of(std::size_t store) const noexcept;
  bool told_of_changes() const noexcept { return changes_ && changes_->listening(); }

  DatabaseOptions options_;
  LeftOutRows left_out_;
  bool own_tables_;
  bool prepare_;
  PostgresqlHosts hosts_;
  PrimaryWatch primary_;
  std::chrono::milliseconds timed_step_;  // how long responses are cached without notifications of changes
  PostgresqlQueries queries_;
  std::optional<TokenUses> token_uses_;
  std::optional<PostgresqlChanges> changes_;  // nothing: there are no notifications, and no primary to find
  std::size_t stores_ = 0;
  PostgresqlConnector connector_;
};

}  // namespace deployd::storage
