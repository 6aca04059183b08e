// A list that does not fit into the buffers between a server and a client that does not read.
#pragma once

#include <string>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {

/// Rows of about 1 KiB as JSON, 16 MiB together.
inline std::string large_list() {
  std::string text = R"({"patterns":[{"id":1,"name":"LARGE"}],"deployments":[)";
  std::string const name(1000, 'x');
  for (int i = 1; i <= 16'000; ++i) {
    if (i > 1) text += ',';
    text += R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":")" + name + "\"}";
  }
  return text + "]}";
}

/// A store of that list, with a token for it.
struct LargeStore : FilledStore {
  LargeStore() : FilledStore(StoreKind::sqlite, large_list()), line(bearer(create_token())) {}
  std::string line;

  /// A client that has asked for the list and read no more than the beginning of its answer.
  HttpConnection stalled(RunningDeployd const& server, std::string const& version = "1.1",
                         int receive_buffer = 4096) const {
    HttpConnection connection(server.port(), receive_buffer);
    connection.send("GET /api/v1/deployments HTTP/" + version + "\r\nHost: deployd\r\n" + line + "\r\n");
    connection.skip(15);
    return connection;
  }
};

}  // namespace deployd::tests
