// Keeps the keys that are fetched by URL up to date while the server runs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "auth/jwt/key_ring.hpp"
#include "server/event_loop.hpp"
#include "server/keys/key_demand.hpp"
#include "server/keys/key_location.hpp"
#include "server/keys/key_set.hpp"

namespace deployd::server {

/// How fetching the keys of one location goes.
struct KeySourceStatus {
  std::string name;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::size_t keys = 0;  // in use now
  // When the keys in use were fetched or confirmed, possibly by an earlier process.
  std::optional<std::chrono::system_clock::time_point> last_success = {};
};

/// Fetches key sets on a thread of its own: at the start, every `KeySourceOptions::refresh` (earlier if the
/// Cache-Control of a set says so), after a failure with growing pauses, and when a token names a key that is missing
/// (see KeyDemand). A fetched set replaces the last one of its location only. While none can be fetched, the last good
/// one stays.
class KeyRefresher {
 public:
  using Ring = std::shared_ptr<auth::KeyRing const>;

  /// Called by one thread at a time. They must only post to other threads.
  struct Events {
    std::function<void(Ring const&)> new_keys;  // all keys that are in force from now on
    std::function<void()> no_new_keys;          // fetches that tokens waited for have not brought their keys
  };

  /// `local` has the rules and the keys that are not fetched. If there is a state directory, the sets kept in it are in
  /// force at once. Throws TlsError or auth::KeyError for a bad file of authorities.
  KeyRefresher(KeySourceOptions options, Ring local);
  ~KeyRefresher();

  /// Returns all keys that are in force. Safe to call from any thread.
  Ring ring() const;

  /// Starts fetching. Throws UnavailableError.
  void start(Events events);

  /// Ends the thread. The keys stay as they are.
  void stop() noexcept;

  /// Waits until each location has keys or has failed once, and at most for `most`.
  void wait_for_keys(std::chrono::milliseconds most);

  /// Applies other options and other keys that are not fetched, and fetches all locations again. Sets of locations that
  /// stay remain in force. `trust` is `trust_for` of these options.
  void replace(KeySourceOptions options, std::shared_ptr<boost::asio::ssl::context> trust, Ring local);

  /// Null when nothing is fetched. Throws TlsError or auth::KeyError.
  static std::shared_ptr<boost::asio::ssl::context> trust_for(KeySourceOptions const& options);

  /// Returns true if a token whose key is missing should wait for the next event. Safe to call from any thread, at any
  /// rate.
  bool key_missing(std::string_view kid);

  /// Safe to call from any thread.
  std::vector<KeySourceStatus> statuses() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Source;
  using Sources = std::vector<std::shared_ptr<Source>>;

  std::shared_ptr<Source> make_source(KeyLocation location);
  void run();
  void spawn(std::shared_ptr<Source> source);
  boost::asio::awaitable<void> keep_fresh(std::shared_ptr<Source> source);
  boost::asio::awaitable<void> refresh(Source& source);
  void accept(Source& source, FetchedKeySet fetched, Clock::time_point begin);
  void note_failure(Source& source, FetchFault const& fault, Clock::time_point begin);
  void note_tried(Source& source);
  void join_keys(bool rotated);
  void note_end(Source& source, Clock::time_point begin);
  Clock::time_point next_fetch() const;
  Clock::time_point due_of(Source const& source) const;
  void fetch_on_demand(Clock::time_point at);

  // Null as long as there is no source. Declared before the sources, which have timers of it.
  std::unique_ptr<EventLoop> loop_;
  std::optional<boost::asio::steady_timer> demand_timer_;  // used on the thread of the loop

  mutable std::mutex mutex_;  // protects the following members
  std::condition_variable tried_;
  KeySourceOptions options_;
  std::shared_ptr<boost::asio::ssl::context> trust_;
  Ring local_;
  Ring ring_;
  Sources sources_;
  KeyDemand demand_;
  Events events_;

  std::thread thread_;
};

}  // namespace deployd::server
