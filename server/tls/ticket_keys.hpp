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

/// Keys that live in memory only, so that what was recorded cannot be read with what is found on a disk later.
///
/// Shared by all workers; safe to use from any thread. Only handshakes come here.
class TlsTicketKeys {
 public:
  using Clock = std::chrono::steady_clock;

  struct Key {
    std::array<unsigned char, 16> name;  // stands in the ticket
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    Clock::time_point made;
  };

  struct Found {
    Key key;
    bool current;  // otherwise the client should get a ticket under the current one
  };

  /// How long a ticket can be used.
  static constexpr std::chrono::seconds ticket_lifetime = std::chrono::hours(2);
  /// How long new tickets are made with the same key.
  static constexpr std::chrono::seconds renewal = std::chrono::hours(1);

  /// The key for a new ticket. Throws std::runtime_error when there is no randomness.
  Key current(Clock::time_point now);

  /// The key of a ticket; nothing when it has been forgotten or was never ours.
  std::optional<Found> find(std::span<unsigned char const, 16> name, Clock::time_point now);

 private:
  void renew(Clock::time_point now);

  std::mutex mutex_;
  std::deque<Key> keys_;  // newest first
};

}  // namespace deployd::server
