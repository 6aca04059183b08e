// Why a mirror could not be renewed from its source.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace deployd::server {

/// Thrown when the source does not answer, or not with what it should. `what()` is one line that names the source.
class SourceError : public std::runtime_error {
 public:
  enum class Kind {
    unavailable,  // no response, or one with another status than 200
    bad_data,     // a response that is not the list that was asked for
  };

  SourceError(Kind of, std::string const& line) : std::runtime_error(line), kind(of) {}

  Kind kind;
  std::optional<unsigned> status = {};                   // of the response
  std::optional<std::chrono::seconds> retry_after = {};  // longer than one round waits
};

}  // namespace deployd::server
