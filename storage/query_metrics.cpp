#include "storage/query_metrics.hpp"

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

QueryFailure kind_of(boost::system::error_code failure) noexcept {
  if (failure == errc::overloaded) return QueryFailure::overloaded;
  if (failure == errc::timeout) return QueryFailure::timeout;
  if (failure == errc::busy) return QueryFailure::busy;
  if (failure == errc::corrupt) return QueryFailure::corrupt;
  return QueryFailure::unavailable;
}

}  // namespace

std::string_view to_string(QueryKind kind) noexcept {
  switch (kind) {
    case QueryKind::deployment: return "deployment";
    case QueryKind::list: return "list";
    case QueryKind::open_cursor: return "open_cursor";
    case QueryKind::api_token: return "api_token";
    case QueryKind::ping: return "ping";
  }
  return "unknown";
}

std::string_view to_string(QueryFailure failure) noexcept {
  switch (failure) {
    case QueryFailure::unavailable: return "unavailable";
    case QueryFailure::overloaded: return "overloaded";
    case QueryFailure::timeout: return "timeout";
    case QueryFailure::busy: return "busy";
    case QueryFailure::corrupt: return "corrupt";
  }
  return "unknown";
}

void QueryTimer::count_failure(boost::system::error_code failure) noexcept {
  metrics_.failures[kind_][static_cast<std::size_t>(kind_of(failure))].add();
}

}  // namespace deployd::storage
