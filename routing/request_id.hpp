// What a request is called in the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routing/request.hpp"

namespace deployd::routing {

/// The client's X-Request-Id where it is one, and of 1 to 128 letters, digits, `.`, `_` and `-`; else empty.
std::string_view client_request_id(Request const& request) noexcept;

/// Makes ids for the requests of one worker. Not to be shared between threads.
class RequestIds {
 public:
  RequestIds();

  /// Appends one as `3f9c2a7b51e0d684-1c`: the same for no two requests, also of different workers, processes and
  /// machines.
  void append_next(std::string& out);

 private:
  std::uint64_t prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace deployd::routing
