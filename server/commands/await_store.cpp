#include "server/commands/await_store.hpp"

#include "storage/error.hpp"
#include "storage/schema/schema.hpp"

namespace deployd::server {

StoreWait how_to_wait(Settings const& settings) {
  return {.limit = read_wait_for_store(settings), .status_of_signal = 69};
}

void await_store(StoreWait const& wait, StorePlace const& place) {
  if (wait.limit.count() == 0) return;
  wait_for_store(wait, [&] {
    try {
      storage::require_current_schema(place.url, place.relations);
    } catch (storage::Error const& failure) {
      if (is_temporary(failure.code())) throw;
    }
  });
}

}  // namespace deployd::server
