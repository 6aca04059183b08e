// The store in a PostgreSQL database.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "storage/database.hpp"
#include "storage/postgresql_changes.hpp"
#include "storage/postgresql_threads.hpp"
#include "storage/token_uses.hpp"

namespace deployd::storage {

/// What `open_database` makes for a `postgresql:` URL. Calls of libpq block, so questions are put on threads of their
/// own, each with a session, behind a bounded queue; long lists on a few more.
class PostgresqlDatabase final : public Database {
 public:
  /// Lists that are streamed at the same time, by all workers together.
  static constexpr int most_cursors = 4;

  /// The schema must be current. Throws `Error`.
  explicit PostgresqlDatabase(DatabaseOptions options);

  std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) override;
  bool has_api_tokens() override;

  // For the stores of the workers:

  DatabaseOptions const& options() const noexcept { return options_; }
  Connecting& connecting() noexcept { return connecting_; }
  PostgresqlThreads& threads() noexcept { return threads_; }
  PostgresqlThreads& cursor_threads() noexcept { return cursor_threads_; }
  TokenUses* token_uses() noexcept { return token_uses_ ? &*token_uses_ : nullptr; }
  std::optional<std::uint64_t> data_version() const noexcept;
  /// Takes the place of a cursor; false when all are taken.
  bool take_cursor() noexcept;
  void give_back_cursor() noexcept { --cursors_; }

 private:
  DatabaseOptions options_;
  bool own_tables_;
  Connecting connecting_;
  std::optional<TokenUses> token_uses_;
  std::optional<PostgresqlChanges> changes_;  // nothing: nobody tells of changes
  std::atomic<int> cursors_ = 0;
  PostgresqlThreads threads_;
  PostgresqlThreads cursor_threads_;
};

}  // namespace deployd::storage
