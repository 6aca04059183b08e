// Which tokens with an unknown `kid` wait for newer keys, and when keys are fetched for them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace deployd::server {

/// A rotation must not refuse a good token, and tokens with invented names of keys must neither cause many fetches nor
/// wait for long. So a `kid` that no key has causes a fetch at most once in ten seconds. Its tokens wait until each
/// source has been fetched after the first of them came. If the key is still missing then, its tokens are refused
/// without waiting for ten seconds; from the fourth time on for longer, up to a minute, unless a source fails. So a
/// client with tokens of another issuer leaves most fetches to new keys.
///
/// While the next fetch is more than two seconds away, a new `kid` waits for it only if a fetch has changed the keys
/// before, and if no `kid` has waited in vain since.
///
/// Not to be used by several threads at a time.
class KeyDemand {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds between_fetches{10};
  static constexpr std::chrono::seconds longest_common_wait{2};
  static constexpr std::chrono::seconds longest_pause{60};  // for a `kid` that was withdrawn, or is always missing
  static constexpr std::size_t max_kids = 64;               // that are wanted at a time, or remembered as missing

  struct Advice {
    bool wait = false;
    std::optional<Clock::time_point> fetch_at = {};  // call `begin_fetch` at this time
  };

  /// Takes the keys that are in force from now on. `rotated`: a fetch has changed the keys of a source.
  void set_kids(std::set<std::string, std::less<>> kids, bool rotated, Clock::time_point now);

  /// Says what to do with a token whose key is missing. `next_fetch` is when all sources are fetched again anyway.
  Advice missed(std::string_view kid, Clock::time_point now, Clock::time_point next_fetch);

  /// Returns true if a fetch is still needed at a time that `missed` has given.
  bool begin_fetch(Clock::time_point now);

  /// Notes that all sources have been fetched in fetches that began at `begin` or later; `failed` if one of them has
  /// failed. Returns true if tokens that waited are now to be refused.
  bool end_fetch(Clock::time_point begin, bool failed = false);

 private:
  struct Wanted {
    std::string kid;
    Clock::time_point since;
    bool held;  // not fetched for at once
  };
  struct Missing {
    std::string kid;
    Clock::time_point until;
    unsigned times;  // that fetches without a failure were in vain
  };

  void remember_missing(Missing missing);

  std::set<std::string, std::less<>> kids_;
  std::vector<Wanted> wanted_;
  std::vector<Missing> missing_;
  std::optional<Clock::time_point> last_fetch_;
  std::optional<Clock::time_point> planned_fetch_;
  bool waiting_pays_ = false;
};

}  // namespace deployd::server
