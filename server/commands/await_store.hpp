// --wait-for-store of the commands that write to a store.
#pragma once

#include "server/options/serve_options.hpp"
#include "server/options/settings.hpp"
#include "server/store_wait.hpp"

namespace deployd::server {

/// Reads --wait-for-store. A signal ends the process with the status for a store that is unavailable.
StoreWait how_to_wait(Settings const& settings);

/// Waits until the schema of the store can be read. For a command that reads its input once, and so cannot try twice.
void await_store(StoreWait const& wait, StorePlace const& place);

}  // namespace deployd::server
