#include "bench/tally.hpp"

#include <algorithm>
#include <numeric>

namespace deployd::bench {

std::uint64_t Tally::errors() const noexcept {
  return std::accumulate(wrong_status.begin(), wrong_status.end(), std::uint64_t{0}) +
         std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

std::vector<ErrorKind> Tally::errors_by_kind() const {
  std::vector<ErrorKind> kinds;
  for (std::size_t status = 0; status < wrong_status.size(); ++status)
    if (wrong_status[status] != 0)
      kinds.push_back(
          {std::to_string(status), "an answer with another status than expected", "", wrong_status[status]});
  for (std::size_t kind = 0; kind < failures.size(); ++kind) {
    auto const [name, meaning] = name_of(static_cast<Failure>(kind));
    if (failures[kind] != 0) kinds.push_back({std::string(name), std::string(meaning), reasons[kind], failures[kind]});
  }
  std::stable_sort(kinds.begin(), kinds.end(), [](auto const& a, auto const& b) { return a.count > b.count; });
  return kinds;
}

void Tally::count(Failure failure, std::string_view reason) {
  auto const kind = static_cast<std::size_t>(failure);
  ++failures[kind];
  if (reasons[kind].empty()) reasons[kind] = reason;
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
