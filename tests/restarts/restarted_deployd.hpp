// deployd on one address, restarted while it is under load.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/listening_socket.hpp"
#include "tests/process.hpp"

namespace deployd::tests {

enum class RestartKind {
  passed,   // the socket is handed over, as by systemd: the old server ends, then the new one starts
  rolling,  // --take-over: the new server starts, then the old one ends
};

/// One server at a time, or two while one takes over from the other. Throws std::runtime_error when one does not start
/// or does not end well.
class RestartedDeployd {
 public:
  RestartedDeployd(RestartKind kind, std::string database, std::vector<std::string> options = {});

  std::uint16_t port() const noexcept { return port_; }
  void restart();
  void stop();

 private:
  std::unique_ptr<Process> start(std::string const& address, bool take_over) const;
  static void end(Process& server);

  RestartKind kind_;
  std::string database_;
  std::vector<std::string> options_;
  std::unique_ptr<ListeningSocket> socket_;  // of kind `passed`
  std::unique_ptr<Process> server_;
  std::uint16_t port_ = 0;
};

}  // namespace deployd::tests
