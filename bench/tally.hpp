// The counts of a run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/failure.hpp"
#include "bench/histogram.hpp"

namespace deployd::bench {

/// A kind of error, for reports.
struct ErrorKind {
  std::string name;     // a status such as `401`, or a failure such as `tls`
  std::string meaning;  // in words
  std::string reason;   // of its first occurrence; empty if the kind is specific enough
  std::uint64_t count;

  /// Adds the reason to `words`, such as the name: `tls (wrong version number)`.
  std::string with_reason(std::string const& words) const {
    return reason.empty() ? words : words + " (" + reason + ")";
  }
};

/// The counted requests of one thread or, after merging, of all threads.
struct Tally {
  std::uint64_t right = 0;
  std::uint64_t bytes = 0;  // of the correct responses, including heads
  std::uint64_t late = 0;
  std::uint64_t skipped = 0;
  std::uint64_t handshakes = 0;  // of TLS
  std::uint64_t resumed = 0;     // of these handshakes
  Histogram latency;             // of correct responses, from the time when the request was due
  Histogram service;             // the same from the time when it was sent
  Histogram overload;            // of responses with --overload-status, from the time when the request was due
  std::array<std::uint64_t, 1000> wrong_status{};
  std::array<std::uint64_t, failure_kinds> failures{};
  std::array<std::string, failure_kinds> reasons{};  // the first of each kind; empty if the kind is specific enough

  void count(Failure failure, std::string_view reason = {});

  /// Returns the number of requests without a correct response.
  std::uint64_t errors() const noexcept;

  /// Returns the kinds of errors that happened, the most frequent first.
  std::vector<ErrorKind> errors_by_kind() const;

  /// Returns the number of all counted requests: answered, failed, and skipped.
  std::uint64_t requests() const noexcept { return right + errors() + overload.count() + skipped; }

  void merge(Tally const& other);
};

}  // namespace deployd::bench
