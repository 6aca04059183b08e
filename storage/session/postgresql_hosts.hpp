// The hosts of a PostgreSQL URL, and which of them are available.
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

/// The host that queries use, by `target_session_attrs` of a URL with several hosts.
enum class ReadFrom {
  primary,         // not set, `primary` or `read-write`: the one host that has every commit
  any,             // `any`: the primary or, while there is none, a standby, however old its data
  prefer_standby,  // `prefer-standby`: a standby that is proven to be fresh, otherwise the primary
  standby,         // `standby` or `read-only`: a standby that is proven to be fresh
};

/// Immutable.
class PostgresqlHosts {
 public:
  enum class Role { primary, standby };

  explicit PostgresqlHosts(PostgresqlUrl url);

  bool several() const noexcept { return hosts_.size() > 1; }
  std::size_t count() const noexcept { return hosts_.size(); }
  /// `any` for a single host: the user has chosen it.
  ReadFrom read_from() const noexcept { return read_from_; }

  /// Far more than connecting takes, and well below the two seconds within which a new primary must be found.
  static constexpr std::chrono::milliseconds longest_search{1000};

  /// Connects to all hosts at once, except those of `passed_over`, and returns the first that turns out to have `role`.
  /// Blocks for at most `time`.
  std::optional<std::size_t> find(Role role, std::chrono::milliseconds time = longest_search,
                                  std::span<std::size_t const> passed_over = {}) const;

  /// Returns the URL of a single host. Connecting fails if the host has another role.
  PostgresqlUrl url(std::size_t host, Role role) const;
  /// The URL with all its hosts.
  PostgresqlUrl const& url() const noexcept { return url_; }

 private:
  PostgresqlUrl url_;
  ReadFrom read_from_ = ReadFrom::any;
  std::vector<PostgresqlUrl> hosts_;  // one URL per host
};

/// Returns `url` with a parameter set, replacing its previous value.
PostgresqlUrl with_parameter(PostgresqlUrl url, std::string_view name, std::string_view value);

}  // namespace deployd::storage
