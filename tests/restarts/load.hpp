// Clients that keep their connections, ask one thing without a pause, and miss no answer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/http_connection.hpp"

namespace deployd::tests {

/// What all clients together have seen.
struct LoadTally {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;            // with the right status and body
  std::uint64_t wrong = 0;               // with another
  std::uint64_t lost = 0;                // not at all, though the connection stood open when the request was sent
  std::uint64_t refused = 0;             // connections that could not be made
  std::uint64_t connections = 0;         // opened
  std::uint64_t last_answers = 0;        // with `Connection: close`
  std::chrono::microseconds longest{0};  // from the wish to ask to the answer, a new connection included
  std::string first_fault;

  bool flawless() const noexcept { return wrong == 0 && lost == 0 && refused == 0; }
  LoadTally& operator+=(LoadTally const& other);
};

/// Runs from construction to `stop`. A client closes its connection when the response says so, and opens a new one
/// for the next request. Before it sends, it checks whether the server has closed the connection.
class Load {
 public:
  Load(std::uint16_t port, std::string request, std::string body, int clients);
  ~Load();

  /// Waits until `count` more requests are answered.
  void wait_for_answers(std::uint64_t count) const;

  LoadTally stop();

 private:
  void run(LoadTally& tally);
  void ask_once(std::unique_ptr<HttpConnection>& connection, LoadTally& tally) const;

  std::uint16_t port_;
  std::string request_;
  std::string body_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> done_ = 0;
  std::vector<LoadTally> tallies_;
  std::vector<std::thread> clients_;
};

}  // namespace deployd::tests
