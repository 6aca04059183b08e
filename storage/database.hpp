// The store of one process: what its workers share, and the way to each worker's view of it.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "storage/database_state.hpp"
#include "storage/database_url.hpp"
#include "storage/left_out_rows.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

struct DatabaseOptions {
  DatabaseUrl url;
  std::size_t sessions = 8;                 // PostgreSQL: for short queries, shared out among the workers
  std::size_t workers = 1;                  // each has one session at least
  std::chrono::milliseconds timeout{5000};  // a query, waiting included
  std::string patterns_relation = "";       // PostgreSQL: somebody else's relations, only read; empty: our own
  std::string deployments_relation = "";
};

/// The descriptors that may be opened while serving, beside those that are open once there is a store for each worker.
struct DescriptorNeeds {
  std::size_t serving;  // for queries, and for noting when tokens were used
  std::size_t lists;    // for lists that are read through cursors
};

class Database {
 public:
  virtual ~Database() = default;

  /// The view of one worker, whose event loop is `worker`. To be destroyed on that worker's thread or after the loop
  /// has ended, and before the Database.
  virtual std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) = 0;

  /// True when the store holds at least one API token that is neither revoked nor expired. Blocks; for start-up.
  virtual bool has_api_tokens() = 0;

  /// Those that all workers have left out of answers. Any thread.
  virtual LeftOutRows const& left_out_rows() const noexcept = 0;

  /// Any thread; does not block.
  virtual DatabaseState state() const = 0;

  virtual DescriptorNeeds descriptor_needs() const noexcept = 0;
};

}  // namespace deployd::storage
