// `serve` and `check`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/keys/key_refresher.hpp"
#include "server/keys/key_set.hpp"
#include "server/listen/descriptor_limit.hpp"
#include "server/listen/listener.hpp"
#include "server/log/access_log_file.hpp"
#include "server/log_setup.hpp"
#include "server/options/endpoints.hpp"
#include "server/options/option_table.hpp"
#include "server/options/serve_options.hpp"
#include "server/serve.hpp"
#include "storage/database.hpp"
#include "storage/schema/row_check.hpp"
#include "storage/schema/row_estimate.hpp"
#include "storage/schema/schema.hpp"

namespace deployd::server {
namespace {

// As long as an operator would wait: enough for some ten million rows of SQLite.
constexpr std::chrono::seconds longest_row_check{10};

/// Calls `open` with the path of --access-log-file if lines will be written to it.
template <typename Open>
void with_access_log_file(Settings const& settings, ServeOptions const& options, Open open) {
  if (!options.access_log_file || options.access_log == AccessLog::off) return;
  try {
    open(*options.access_log_file);
  } catch (std::system_error const& failure) {
    throw OutputError(fmt::format("{}: {}", settings.origin_of("access-log-file"), failure.what()));
  }
}

/// One line of the table of `check`.
struct Finding {
  std::string item;    // what was checked, such as `store`
  std::string text;    // the finding
  std::string remedy;  // what to do about it; empty if all is well
};

/// Returns the item, state and text of each finding in columns, with a line for the remedy after it. The state is `ok`
/// or `look`.
std::string to_table(std::vector<Finding> const& findings) {
  constexpr std::string_view row = "{:<13} {:<5} {}\n";
  auto table = fmt::format(row, "ITEM", "STATE", "FOUND");
  for (auto const& finding : findings) {
    table += fmt::format(row, finding.item, finding.remedy.empty() ? "ok" : "look", finding.text);
    if (!finding.remedy.empty()) table += fmt::format(row, "", "", "remedy: " + finding.remedy);
  }
  return table;
}

/// Throws ListenError for an unavailable address.
Finding look_at(ListenAddress const& address, std::string const& origin) {
  auto const name = to_string(address);
  try {
    Listener const listening(address, 1, false, Sharing::in_turn);
    return {"address", fmt::format("{}: {} is free", origin, name), ""};
  } catch (ListenError const& failure) {
    if (!failure.in_use) throw ListenError(fmt::format("{}: {}", origin, failure.what()));
    return {"address", fmt::format("{}: {} is in use, by a deployd that runs or by another program", origin, name),
            "none while deployd or its socket unit is active; otherwise stop the program that listens there"};
  }
}

std::vector<Finding> look_at_addresses(ServeOptions const& options) {
  std::vector<Finding> findings;
  auto const listen = resolve_listen(options);
  auto const admin = resolve_admin_listen(options, listen);
  for (auto const& endpoints : listen)
    for (auto const& endpoint : endpoints) findings.push_back(look_at(endpoint, options.listen_origin));
  for (auto const& endpoint : admin) findings.push_back(look_at(endpoint, options.admin_listen_origin));
  return findings;
}

/// Checks the store, its schema and its rows.
std::vector<Finding> look_at_store(storage::DatabaseOptions const& options) {
  auto const& relations = options.relations;
  std::vector<Finding> findings{{"store", storage::describe(options.url) + " can be read", ""}};
  if (relations.foreign()) {
    findings.push_back(
        {"schema", fmt::format("{} and {} are relations of another program", relations.patterns, relations.deployments),
         ""});
  } else {
    findings.push_back({"schema", fmt::format("version {}, the current one", storage::current_schema_version()), ""});
    auto const size = storage::estimate_size(options.url);
    findings.push_back(
        {"rows", fmt::format("{}, {}", to_text(size.patterns, "pattern"), to_text(size.deployments, "deployment")),
         ""});
  }
  for (auto& complaint : storage::check_rows(options.url, relations, longest_row_check))
    findings.push_back({"rows", std::move(complaint), "correct the data, then run `deployd check` again"});
  return findings;
}

/// Makes a finding of a warning about keys or certificates. Warnings about files that others can read contain their
/// remedy.
Finding from_complaint(std::string item, std::string complaint, std::string remedy) {
  auto const chmod = complaint.rfind(": chmod ");
  if (chmod == complaint.npos) return {std::move(item), std::move(complaint), std::move(remedy)};
  return {"permissions", complaint.substr(0, chmod), complaint.substr(chmod + 2)};
}

std::vector<Finding> look_at_keys(Settings const& settings, ServeOptions const& serve_options,
                                  auth::KeyRing const& keys, storage::Database& database) {
  auto const& options = serve_options.keys;
  std::vector<Finding> findings;
  auto const add = [&findings](std::string text) { findings.push_back({"keys", std::move(text), ""}); };
  if (options.secret) add(options.secret_origin + ": HMAC secret");
  for (auto const& file : options.public_key_files)
    add(fmt::format("{}: {}: public key", settings.origin_of("jwt-public-key"), file));
  for (auto const& file : options.jwks_files) add(fmt::format("{}: {}: key set", settings.origin_of("jwks"), file));
  if (database.has_api_tokens()) add("API tokens of the store");
  if (keys.empty() && serve_options.key_sources.locations.empty() && findings.empty())
    findings.push_back({"keys",
                        "no key for tokens is configured and the store has no API token: every request will be refused",
                        "run `deployd token create --name NAME`, or give --oidc-issuer, --jwks, --jwt-public-key or "
                        "--jwt-secret-file"});
  for (auto const& line : keys.complaints())
    findings.push_back(from_complaint("keys", line, "correct the key, then reload deployd with SIGHUP"));
  return findings;
}

/// Fetches the key sets from URLs. A failure is a finding only: `serve` starts without them.
std::vector<Finding> look_at_key_sources(Settings const& settings, KeySourceOptions const& options) {
  auto const trust = KeyRefresher::trust_for(options);
  std::vector<Finding> findings;
  for (auto const& location : options.locations) {
    auto const origin = settings.origin_of(location.issuer ? "oidc-issuer" : "jwks");
    auto const fetched = fetch_keys(location, trust);
    if (!fetched) {
      findings.push_back({"keys", fmt::format("{}: {}", origin, fetched.error().what),
                          "correct the URL, the provider or --jwks-ca; until it answers, `serve` uses the keys kept in "
                          "--state-directory, or refuses tokens signed with its keys"});
      continue;
    }
    findings.push_back(
        {"keys", fmt::format("{}: {}: {}", origin, name_of(location), describe_keys(fetched->set->keys)), ""});
    for (auto const& line : fetched->set->complaints)
      findings.push_back({"keys", line, "the provider must replace this key"});
  }
  return findings;
}

std::vector<Finding> look_at_certificates(TlsContext const& tls) {
  std::vector<Finding> findings;
  for (auto const& [file, end] : tls.expiries())
    findings.push_back(
        {"certificate",
         fmt::format("{}: expires {:%FT%TZ}", file, fmt::gmtime(std::chrono::system_clock::to_time_t(end))), ""});
  for (auto const& line : tls.complaints(std::chrono::system_clock::now()))
    findings.push_back(from_complaint("certificate", line, "renew it, then reload deployd with SIGHUP"));
  return findings;
}

Finding look_at_descriptors(ServeOptions const& options) {
  // Descriptors that a server needs besides its connections; it determines the exact number when it starts.
  constexpr std::size_t beside_connections = 150;
  auto const limit = hard_descriptor_limit();
  auto const wanted = options.max_connections + beside_connections;
  if (limit >= wanted)
    return {"descriptors", fmt::format("enough for --max-connections {}", options.max_connections), ""};
  return {"descriptors",
          fmt::format("only {} may be open, too few for --max-connections {}", limit, options.max_connections),
          fmt::format("raise the hard limit to {} (LimitNOFILE=, ulimit -Hn), or lower --max-connections", wanted)};
}

}  // namespace

int run_serve(Settings const& settings, std::function<Settings()> reread) {
  auto const options = read_serve_options(settings);
  with_access_log_file(settings, options, open_access_log);
  return serve(options, settings, std::move(reread));
}

int run_check(Settings const& settings, Operands const&) {
  auto const options = read_serve_options(settings);
  std::vector<Finding> findings;
  auto const add = [&findings](std::vector<Finding> more) { std::ranges::move(more, std::back_inserter(findings)); };
  // Any failure here throws, so that it is reported in one line without a table.
  auto const keys = auth::KeyRing::load(options.keys);
  auto key_sources = look_at_key_sources(settings, options.key_sources);
  auto const tls = TlsContext::load(options.tls, std::make_shared<TlsTicketKeys>());
  auto const database = storage::open_database(options.database);
  auto addresses = look_at_addresses(options);
  with_access_log_file(settings, options, try_access_log);
  add(look_at_store(options.database));
  add(look_at_keys(settings, options, *keys, *database));
  add(std::move(key_sources));
  if (tls) add(look_at_certificates(*tls));
  add(std::move(addresses));
  add({look_at_descriptors(options)});
  auto const good = std::ranges::none_of(
      findings, [](Finding const& finding) { return finding.item == "rows" && !finding.remedy.empty(); });
  print(to_table(findings) + "\nThe configuration is good, and the store " + storage::describe(options.database.url) +
        " can be served" + (good ? ".\n" : ", but some of its rows are not good.\n"));
  return 0;
}

}  // namespace deployd::server
