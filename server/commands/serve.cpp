#include <spdlog/spdlog.h>

#include "server/commands/commands.hpp"
#include "server/log.hpp"
#include "server/options/serve_options.hpp"

namespace deployd::server {
namespace {

/// Null when TLS is off.
std::shared_ptr<TlsContext const> load_tls(TlsOptions const& options) {
  if (options.certificates.empty()) return nullptr;
  return TlsContext::load(options, std::make_shared<TlsTicketKeys>());
}

}  // namespace

int run_serve(Settings const& settings, std::function<Settings()> reread) {
  auto const options = read_serve_options(settings);
  return serve(options, [reread = std::move(reread)] {
    auto const fresh = reread();
    ReloadedOptions reloaded{read_key_options(fresh), read_tls_options(fresh)};
    // The level changes only when the keys and certificates are good as well.
    auth::KeyRing::load(reloaded.keys);
    load_tls(reloaded.tls);
    reload_log_level(fresh);
    return reloaded;
  });
}

int run_check(Settings const& settings) {
  auto const options = read_serve_options(settings);
  auto const keys = auth::KeyRing::load(options.keys);
  auto const tls = load_tls(options.tls);
  auto const database = storage::open_database(options.database);
  // Once nothing can fail, so that a failure is one line.
  if (tls)
    for (auto const& line : tls->complaints(std::chrono::system_clock::now())) spdlog::warn("{}", line);
  for (auto const& line : keys->complaints()) spdlog::warn("{}", line);
  if (keys->empty() && !database->has_api_tokens())
    spdlog::warn("no key for tokens is configured and the store has no API token: every call will be refused");
  print("The configuration is good, and the store " + storage::describe(options.database.url) + " can be served.\n");
  return 0;
}

}  // namespace deployd::server
