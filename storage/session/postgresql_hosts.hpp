// The hosts that a PostgreSQL URL names, and which of them are there.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Where questions go: what `target_session_attrs` says of a URL with several hosts.
enum class ReadFrom {
  primary,         // nothing, `primary` or `read-write`: the one host that has every commit
  any,             // `any`: the primary, and while there is none a standby, however old what it has
  prefer_standby,  // `prefer-standby`: a standby that is proven to be fresh, or else the primary
  standby,         // `standby` or `read-only`: a standby that is proven to be fresh
};

/// Immutable.
class PostgresqlHosts {
 public:
  enum class Role { primary, standby };

  explicit PostgresqlHosts(PostgresqlUrl url);

  bool several() const noexcept { return hosts_.size() > 1; }
  std::size_t count() const noexcept { return hosts_.size(); }
  /// `any` for a single host: it was chosen by whoever named it.
  ReadFrom read_from() const noexcept { return read_from_; }

  /// Far above what connecting takes, and well below the two seconds within which a new primary is to be found.
  static constexpr std::chrono::milliseconds longest_search{1000};

  /// Connects to all hosts at once, but for those of `passed_over`, and says which was the first to turn out to be
  /// one of `role`; blocks for `time` at most.
  std::optional<std::size_t> find(Role role, std::chrono::milliseconds time = longest_search,
                                  std::span<std::size_t const> passed_over = {}) const;

  /// The URL of one host alone, to which nobody connects who finds another role there.
  PostgresqlUrl url(std::size_t host, Role role) const;
  /// The URL with all its hosts.
  PostgresqlUrl const& url() const noexcept { return url_; }

 private:
  PostgresqlUrl url_;
  ReadFrom read_from_ = ReadFrom::any;
  std::vector<PostgresqlUrl> hosts_;  // each one alone
};

/// `url` with a parameter set, whatever its value was.
PostgresqlUrl with_parameter(PostgresqlUrl url, std::string_view name, std::string_view value);

}  // namespace deployd::storage
