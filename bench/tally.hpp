// What a run has counted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bench/failure.hpp"
#include "bench/histogram.hpp"

namespace deployd::bench {

/// The counted requests of one thread or, merged, of all.
struct Tally {
  std::uint64_t right = 0;
  std::uint64_t bytes = 0;  // of the right answers, heads included
  std::uint64_t late = 0;
  std::uint64_t skipped = 0;
  std::uint64_t handshakes = 0;  // of TLS
  std::uint64_t resumed = 0;     // of them
  Histogram latency;             // of right answers, from the time when the request was due
  Histogram service;             // the same from the time when it was sent
  Histogram overload;            // of answers with --overload-status, from the time when the request was due
  std::array<std::uint64_t, 1000> wrong_status{};
  std::array<std::uint64_t, failure_kinds> failures{};
  std::array<std::string, failure_kinds> reasons{};  // the first of each kind; empty where the kind says all

  void count(Failure failure, std::string_view reason = {});

  /// All requests that got no right answer.
  std::uint64_t errors() const noexcept;

  /// The kinds of errors that occurred, by name: a status as `401`, or a failure's name.
  std::map<std::string, std::uint64_t> errors_by_kind() const;

  /// The name of the kind that occurred most often; empty when there were no errors.
  std::string commonest_error() const;

  /// A kind of `errors_by_kind` with the reason of its first occurrence: `tls (wrong version number)`.
  std::string with_reason(std::string const& kind) const;

  /// All counted requests: answered, failed, and skipped.
  std::uint64_t requests() const noexcept { return right + errors() + overload.count() + skipped; }

  void merge(Tally const& other);
};

}  // namespace deployd::bench
