// The id of a request in the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routing/request.hpp"

namespace deployd::routing {

/// Returns the client's X-Request-Id if there is exactly one, made of 1 to 128 letters, digits, `.`, `_` and `-`;
/// otherwise empty.
std::string_view client_request_id(Request const& request) noexcept;

/// Makes ids for the requests of one worker. Not to be shared between threads.
class RequestIds {
 public:
  RequestIds();

  /// Appends an id such as `3f9c2a7b51e0d684-1c`, unique across requests, workers, processes and machines.
  void append_next(std::string& out);

 private:
  std::uint64_t prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace deployd::routing
