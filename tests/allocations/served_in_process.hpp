// The server inside of the test program, to look at what it does to the process.
#pragma once

#include <cstddef>
#include <string>
#include <thread>

#include "tests/integration/http_connection.hpp"
#include "tests/process.hpp"

namespace deployd::tests {

/// `serve` with one worker on a thread of this program, over SQLite. It is ended by a signal to the process.
class ServedInProcess {
 public:
  /// A store with `patterns` of `deployments_each`, named PATTERN_1 and so on.
  ServedInProcess(int patterns, int deployments_each, std::size_t cache_bytes);
  ~ServedInProcess();

  HttpConnection connect() const { return HttpConnection(socket_); }

  /// The field line with a token that the server takes.
  std::string const& authorization() const noexcept { return authorization_; }

 private:
  TemporaryDirectory directory_;
  std::string socket_ = (directory_.path() / "socket").string();
  std::string authorization_;
  std::thread server_;
};

}  // namespace deployd::tests
