#include <spdlog/spdlog.h>

#include "server/commands/commands.hpp"
#include "server/log.hpp"
#include "server/options/serve_options.hpp"

namespace deployd::server {

int run_serve(Settings const& settings, std::function<Settings()> reread) {
  auto const options = read_serve_options(settings);
  return serve(options, [reread = std::move(reread)] {
    auto const fresh = reread();
    auto keys = read_key_options(fresh);
    auth::KeyRing::load(keys);  // the log changes only when the keys are good as well
    configure_log(fresh);
    return keys;
  });
}

int run_check(Settings const& settings) {
  auto const options = read_serve_options(settings);
  auto const keys = auth::KeyRing::load(options.keys);
  auto const database = storage::open_database(options.database);
  if (keys->empty() && !database->has_api_tokens())
    spdlog::warn("no key for tokens is configured and the store has no API token: every call will be refused");
  print("The configuration is good, and the store " + storage::describe(options.database.url) + " can be served.\n");
  return 0;
}

}  // namespace deployd::server
