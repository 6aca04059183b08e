// Requests to ask with, and answers taken apart, for the tests of what is rendered.
#pragma once

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "routing/output.hpp"
#include "routing/request.hpp"

namespace deployd::routing {

/// 784111777 seconds: the example date of RFC 9110 §5.6.7.
inline constexpr Moment moment{std::chrono::sys_seconds(std::chrono::seconds(784'111'777)),
                               "Sun, 06 Nov 1994 08:49:37 GMT"};

inline SingleField field(std::string_view value) {
  return {value, 1};
}

inline Request get(std::string_view target = "/api/v1/deployments") {
  Request request;
  request.method = Method::get;
  request.method_name = "GET";
  request.target = target;
  return request;
}

inline Request head(std::string_view target = "/api/v1/deployments") {
  auto request = get(target);
  request.method = Method::head;
  request.method_name = "HEAD";
  return request;
}

/// All bytes of an output, in the order in which they are sent.
inline std::string bytes_of(Output const& out) {
  return out.bytes + (out.tail ? out.tail->substr(out.tail_offset) : std::string());
}

/// One answer: its status line, its fields and what follows the empty line.
struct Answer {
  std::string status_line;
  std::map<std::string, std::string, std::less<>> fields;
  std::string body;

  unsigned status() const { return static_cast<unsigned>(std::stoul(status_line.substr(9, 3))); }
  bool has(std::string_view name) const { return fields.contains(name); }
  /// The value of a field, or `(none)`.
  std::string operator[](std::string_view name) const {
    auto const found = fields.find(name);
    return found == fields.end() ? "(none)" : found->second;
  }
};

/// Takes one answer apart. Throws when a line is none, or a field stands twice.
inline Answer take_apart(std::string_view bytes) {
  Answer answer;
  for (bool first = true;; first = false) {
    auto const end = bytes.find("\r\n");
    if (end == std::string_view::npos) throw std::runtime_error("the header block has no end");
    auto const line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (first) {
      answer.status_line = line;
    } else if (line.empty()) {
      answer.body = bytes;
      return answer;
    } else {
      auto const colon = line.find(": ");
      if (colon == std::string_view::npos) throw std::runtime_error("no field: " + std::string(line));
      auto const [at, added] = answer.fields.emplace(line.substr(0, colon), line.substr(colon + 2));
      if (!added) throw std::runtime_error("twice: " + std::string(line));
    }
  }
}

inline Answer take_apart(Output const& out) {
  return take_apart(bytes_of(out));
}

}  // namespace deployd::routing
