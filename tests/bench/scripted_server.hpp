// A small HTTP server that answers as a test tells it, also wrongly.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace deployd::tests {

/// What the server does with a request.
struct Scripted {
  std::string bytes;                   // sent as they are; empty: nothing is sent
  bool close = false;                  // the connection is closed behind them
  bool reset = false;                  // the same with a RST
  std::chrono::milliseconds delay{0};  // the whole server waits so long before it sends
};

/// An answer with this body and its Content-Length.
std::string answer(std::string_view body, std::string_view status = "200 OK",
                   std::string_view type = "application/json", std::string_view fields = "");

/// Serves on a free port of 127.0.0.1, on a thread of its own, until destroyed.
class ScriptedServer {
 public:
  /// `script` is called, on the server's thread, with the head of each request and its number, counted from 0.
  using Script = std::function<Scripted(std::string const& head, std::uint64_t number)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(ScriptedServer const&) = delete;
  ScriptedServer& operator=(ScriptedServer const&) = delete;

  /// `http://127.0.0.1:PORT` and `target`.
  std::string url(std::string_view target = "/") const;

  std::vector<std::string> requests() const;  // their heads
  std::uint64_t connections() const;          // accepted so far
  /// The largest number of whole requests that came in one piece.
  std::uint64_t deepest() const;

 private:
  struct Peer;

  void serve();
  bool take_requests(Peer& peer);

  Script script_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  unsigned port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::uint64_t connections_ = 0;
  std::uint64_t deepest_ = 0;
  std::thread thread_;
};

}  // namespace deployd::tests
