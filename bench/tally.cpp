#include "bench/tally.hpp"

#include <algorithm>
#include <numeric>

namespace deployd::bench {

std::uint64_t Tally::errors() const noexcept {
  return std::accumulate(wrong_status.begin(), wrong_status.end(), std::uint64_t{0}) +
         std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

std::map<std::string, std::uint64_t> Tally::errors_by_kind() const {
  std::map<std::string, std::uint64_t> kinds;
  for (std::size_t status = 0; status < wrong_status.size(); ++status)
    if (wrong_status[status] != 0) kinds[std::to_string(status)] = wrong_status[status];
  for (std::size_t kind = 0; kind < failures.size(); ++kind)
    if (failures[kind] != 0) kinds[std::string(to_string(static_cast<Failure>(kind)))] = failures[kind];
  return kinds;
}

std::string Tally::commonest_error() const {
  auto const kinds = errors_by_kind();
  auto const most =
      std::max_element(kinds.begin(), kinds.end(), [](auto const& a, auto const& b) { return a.second < b.second; });
  return most == kinds.end() ? std::string() : most->first;
}

void Tally::count(Failure failure, std::string_view reason) {
  auto const kind = static_cast<std::size_t>(failure);
  ++failures[kind];
  if (reasons[kind].empty()) reasons[kind] = reason;
}

std::string Tally::with_reason(std::string const& kind) const {
  for (std::size_t i = 0; i < reasons.size(); ++i)
    if (!reasons[i].empty() && kind == to_string(static_cast<Failure>(i))) return kind + " (" + reasons[i] + ")";
  return kind;
}

void Tally::merge(Tally const& other) {
  right += other.right;
  bytes += other.bytes;
  late += other.late;
  skipped += other.skipped;
  handshakes += other.handshakes;
  resumed += other.resumed;
  latency.merge(other.latency);
  service.merge(other.service);
  overload.merge(other.overload);
  for (std::size_t i = 0; i < wrong_status.size(); ++i) wrong_status[i] += other.wrong_status[i];
  for (std::size_t i = 0; i < failures.size(); ++i) {
    failures[i] += other.failures[i];
    if (reasons[i].empty()) reasons[i] = other.reasons[i];
  }
}

}  // namespace deployd::bench
