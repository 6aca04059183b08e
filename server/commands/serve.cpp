#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/listen/listener.hpp"
#include "server/log/access_log_file.hpp"
#include "server/log_setup.hpp"
#include "server/options/option_table.hpp"
#include "server/options/serve_options.hpp"
#include "server/serve.hpp"
#include "storage/open_database.hpp"
#include "storage/schema/row_check.hpp"

namespace deployd::server {
namespace {

// What an operator waits for: some ten million rows of SQLite.
constexpr std::chrono::seconds longest_row_check{10};

/// Null when TLS is off.
std::shared_ptr<TlsContext const> load_tls(TlsOptions const& options) {
  if (options.certificates.empty()) return nullptr;
  return TlsContext::load(options, std::make_shared<TlsTicketKeys>());
}

/// Calls `open` with the path of --access-log-file where there are lines to be written to it.
template <typename Open>
void with_access_log_file(Settings const& settings, ServeOptions const& options, Open open) {
  if (!options.access_log_file || options.access_log == AccessLog::off) return;
  try {
    open(*options.access_log_file);
  } catch (std::system_error const& failure) {
    throw OutputError(fmt::format("{}: {}", settings.origin_of("access-log-file"), failure.what()));
  }
}

/// A line for an address that is in use at the moment. Throws ListenError for one that cannot be had.
std::optional<std::string> note_about(ListenAddress const& address, std::string const& origin) {
  try {
    if (is_free(address)) return std::nullopt;
    return fmt::format("{}: {} is in use, by a deployd that runs or by another program", origin, to_string(address));
  } catch (ListenError const& failure) {
    throw ListenError(fmt::format("{}: {}", origin, failure.what()));
  }
}

/// The same of all addresses.
std::vector<std::string> notes_about_addresses(ServeOptions const& options) {
  std::vector<std::string> notes;
  auto const add = [&notes](std::optional<std::string> note) {
    if (note) notes.push_back(std::move(*note));
  };
  for (auto const& address : options.listen) add(note_about(address, options.listen_origin));
  if (options.admin_listen) add(note_about(*options.admin_listen, options.admin_listen_origin));
  return notes;
}

}  // namespace

int run_serve(Settings const& settings, std::function<Settings()> reread) {
  auto const options = read_serve_options(settings);
  with_access_log_file(settings, options, open_access_log);
  return serve(options, [&settings, reread = std::move(reread)] {
    auto fresh = reread();
    try {
      // All of it, so that what the next start would refuse is refused now.
      auto read = read_serve_options(fresh);
      ReloadedOptions reloaded{std::move(read.keys), std::move(read.tls), {}, {}};
      for (auto const option : fresh.differences(settings))
        if (!is_reloaded(option)) reloaded.need_restart.emplace_back(option);
      reloaded.settings = std::move(fresh);
      return reloaded;
    } catch (auth::KeyError const& failure) {
      throw auth::KeyError(fresh.with_origin(failure.what()));
    }
  });
}

int run_check(Settings const& settings) {
  auto const options = read_serve_options(settings);
  auto const keys = auth::KeyRing::load(options.keys);
  auto const tls = load_tls(options.tls);
  auto const database = storage::open_database(options.database);
  auto const notes = notes_about_addresses(options);
  with_access_log_file(settings, options, try_access_log);
  auto const complaints = storage::check_rows(
      options.database.url, {options.database.patterns_relation, options.database.deployments_relation},
      longest_row_check);
  // Once nothing can fail, so that a failure is one line.
  if (tls)
    for (auto const& line : tls->complaints(std::chrono::system_clock::now())) spdlog::warn("{}", line);
  for (auto const& line : keys->complaints()) spdlog::warn("{}", line);
  if (keys->empty() && !database->has_api_tokens())
    spdlog::warn("no key for tokens is configured and the store has no API token: every request will be refused");
  for (auto const& note : notes) spdlog::info("{}", note);
  for (auto const& complaint : complaints) spdlog::warn("{}", complaint);
  print("The configuration is good, and the store " + storage::describe(options.database.url) + " can be served" +
        (complaints.empty() ? ".\n" : ", but some of its rows are not good.\n"));
  return 0;
}

}  // namespace deployd::server
