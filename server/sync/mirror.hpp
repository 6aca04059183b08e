// A store that is kept a copy of a source.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/sync/source.hpp"
#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {
class RowSpool;
}

namespace deployd::server {

struct MirrorPlan {
  storage::DatabaseUrl database;
  storage::Relations relations;
  std::vector<std::string> patterns;  // by name; empty: everything
  bool dry_run = false;
};

/// What a round found.
struct MirrorRound {
  bool read = true;  // false: no list has changed at the source since the last round, so nothing was read or compared
  storage::ImportChanges changes = {};
};

/// Renews a store from a source, round by round. What the source says about a list that has not changed (ETag) is
/// remembered from one round to the next, in memory and for an hour: a round then repairs what another program has
/// changed in the store.
class Mirror {
 public:
  Mirror(MirrorPlan plan, Source source);

  std::string source_name() const { return source_.name(); }

  /// Reads what has changed at the source, then makes the store the same in one transaction. Throws SourceError,
  /// storage::Error, auth::KeyError or TlsError; then nothing is changed.
  boost::asio::awaitable<MirrorRound> run_round();

 private:
  using Clock = std::chrono::steady_clock;

  /// What is known about a list since the last good round.
  struct Known {
    std::optional<std::string> etag = {};
    std::optional<std::int64_t> pattern_id = {};  // for the deployments of one pattern
  };
  using KnownLists = std::map<std::string, Known>;  // by target

  boost::asio::awaitable<MirrorRound> run_round_of_patterns();
  boost::asio::awaitable<MirrorRound> run_round_of_everything();
  boost::asio::awaitable<bool> read_everything(storage::RowSpool& rows, KnownLists& fresh);
  boost::asio::awaitable<bool> read_whole(SourceList list, bool always, storage::RowSpool& rows, KnownLists& fresh);
  boost::asio::awaitable<std::optional<std::int64_t>> find_pattern(std::string name);
  std::optional<std::string> etag_of(SourceList const& list) const;
  storage::ImportChanges apply(storage::RowSpool& rows, std::vector<std::string> patterns);

  MirrorPlan plan_;
  Source source_;
  KnownLists known_;
  Clock::time_point known_since_ = {};
  std::set<std::string> told_;  // patterns without an id that were logged
};

}  // namespace deployd::server
