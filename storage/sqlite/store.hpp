// The store in a SQLite file.
#pragma once

#include <soci/soci.h>

#include "storage/database.hpp"
#include "storage/store_state.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/tokens/token_uses.hpp"

namespace deployd::storage {

/// Created by `open_database` for a `sqlite:` URL. Workers share only the file: each has its own session and queries it
/// on its own thread, since a look-up costs less than switching threads.
class SqliteDatabase final : public Database {
 public:
  /// The schema must be current. Throws `Error` if the file cannot be read.
  explicit SqliteDatabase(DatabaseOptions options);

  std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) override;
  bool has_api_tokens() override { return has_valid_token(options_.url, options_.timeout); }
  LeftOutRows const& left_out_rows() const noexcept override { return left_out_; }
  DatabaseState state() const override { return {"sqlite", {"file"}}; }
  DescriptorNeeds descriptor_needs() const noexcept override;

 private:
  void note_rows_without_id(soci::session& session);

  DatabaseOptions options_;
  LeftOutRows left_out_;
  TokenUses token_uses_;
  StoreState state_;
};

}  // namespace deployd::storage
