// The store of one process: what its workers share, and access to it for each worker.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/database_url.hpp"
#include "storage/left_out_rows.hpp"
#include "storage/relation_name.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

struct DatabaseOptions {
  DatabaseUrl url;
  std::size_t sessions = 8;                 // PostgreSQL: for short queries, divided among the workers
  std::size_t workers = 1;                  // each has at least one session
  std::chrono::milliseconds timeout{5000};  // per query, including the wait for a session
  Relations relations = {};                 // PostgreSQL: of another program
};

/// The descriptors that may be opened while serving, in addition to those open once each worker has a store.
struct DescriptorNeeds {
  std::size_t serving;  // for queries, and for recording when tokens were used
  std::size_t lists;    // for lists that are read through cursors
};

/// How changes of the data are detected, and whether that works.
struct ChangeFeed {
  std::string_view
      mode;        // "file": read with each request; "listen": notified by the server; "timed": assumed twice a second
  bool up = true;  // false: changes are not detected, so responses are not cached
  std::chrono::nanoseconds lag{0};  // while up: all changes committed longer ago than this have been detected
  std::uint64_t changes = 0;        // "listen": the number of detected changes
};

struct DatabaseState {
  std::string_view backend;  // "sqlite" or "postgresql"
  ChangeFeed changes;
};

class Database {
 public:
  virtual ~Database() = default;

  /// Returns the store of one worker, whose event loop is `worker`. It must be destroyed on that worker's thread or
  /// after the loop has ended, and before the Database.
  virtual std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) = 0;

  /// True if the store has at least one API token that is neither revoked nor expired. Blocks; for the start only.
  virtual bool has_api_tokens() = 0;

  /// The rows that all workers have left out of responses. Safe to call from any thread.
  virtual LeftOutRows const& left_out_rows() const noexcept = 0;

  /// Safe to call from any thread; does not block.
  virtual DatabaseState state() const = 0;

  virtual DescriptorNeeds descriptor_needs() const noexcept = 0;
};

/// Opens the store for serving. Never creates or changes a schema. Throws `storage::Error` with `missing`,
/// `older_schema`, `newer_schema`, `corrupt`, `forbidden`, `busy` or `unavailable` and a line for the operator.
std::unique_ptr<Database> open_database(DatabaseOptions options);

}  // namespace deployd::storage
