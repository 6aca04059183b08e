// The keys of session tickets, with which clients resume a TLS session on any worker.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>

namespace deployd::server {

/// Keys that are kept only in memory, so that recorded connections cannot be decrypted with data found on a disk later.
///
/// Shared by all workers; safe to use from any thread. Used for handshakes only.
class TlsTicketKeys {
 public:
  using Clock = std::chrono::steady_clock;

  struct Key {
    std::array<unsigned char, 16> name;  // contained in the ticket
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    Clock::time_point made;
  };

  struct Found {
    Key key;
    bool current;  // otherwise the client should get a ticket with the current key
  };

  /// How long a ticket can be used.
  static constexpr std::chrono::seconds ticket_lifetime = std::chrono::hours(2);
  /// How long a key is used for new tickets.
  static constexpr std::chrono::seconds renewal = std::chrono::hours(1);

  /// Returns the key for a new ticket. Throws std::runtime_error if no random bytes are available.
  Key current(Clock::time_point now);

  /// Returns the key of a ticket, or nothing if it has been removed or is unknown.
  std::optional<Found> find(std::span<unsigned char const, 16> name, Clock::time_point now);

 private:
  void renew(Clock::time_point now);

  std::mutex mutex_;
  std::deque<Key> keys_;  // newest first
};

}  // namespace deployd::server
