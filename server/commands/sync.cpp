// `sync`: makes the store a mirror of another server, once or again and again.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "auth/key_file.hpp"
#include "auth/refusal_report.hpp"
#include "base/jitter.hpp"
#include "base/utf8.hpp"
#include "server/commands/commands.hpp"
#include "server/event_loop.hpp"
#include "server/fetch/url.hpp"
#include "server/options/values.hpp"
#include "server/sync/mirror.hpp"
#include "server/sync/mirror_record.hpp"
#include "storage/transfer/mirror.hpp"
#include "storage/transfer/open_import.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::system_clock;

// After a round that failed, the next one may begin earlier than --every says.
constexpr milliseconds first_pause_after_failure{30'000};
constexpr unsigned most_doublings = 10;
constexpr std::chrono::hours longest_retry_after{1};

Url to_source_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) throw std::invalid_argument("is not the URL of a server: " + url.error().what);
  if (!url->tls && !is_loopback(*url)) throw std::invalid_argument("http would show the token to others; use https");
  if (url->target.find('?') != url->target.npos) throw std::invalid_argument("must not have a query");
  if (url->target.find("/api/") != url->target.npos || url->target.ends_with("/api"))
    throw std::invalid_argument("must end before the path of the API, as https://HOST; deployd adds /api/v1/...");
  return *url;
}

std::string to_pattern(std::string_view text) {
  if (!base::is_utf8(text)) throw std::invalid_argument("the name is not UTF-8");
  if (text.find('\0') != text.npos) throw std::invalid_argument("the name holds U+0000");
  return std::string(text);
}

milliseconds to_interval(std::string_view text) {
  return parse_duration(text, {std::chrono::seconds(1), std::chrono::hours(24 * 30)});
}

std::vector<std::string> read_patterns(Settings const& settings) {
  auto patterns = settings.read_all("pattern", to_pattern);
  for (auto name = patterns.begin(); name != patterns.end(); ++name)
    if (std::find(patterns.begin(), name, *name) != name)
      Settings::refuse(*settings.find("pattern"), fmt::format("{} is given twice", auth::in_quotes(*name)));
  return patterns;
}

/// Records for `deployd serve` when the mirror was last renewed.
class Record {
 public:
  Record(std::optional<std::string> directory, std::string source)
      : directory_(std::move(directory)), source_(std::move(source)) {}

  void note_success() { write(std::chrono::floor<std::chrono::seconds>(system_clock::now())); }

  /// Keeps the time of the last success. A mirror that never had one is recorded as well.
  void note_failure() {
    if (!directory_) return;
    auto const record = read_mirror_record(*directory_);
    if (!record || record->source != source_) write({});
  }

 private:
  void write(std::chrono::sys_seconds last_success) {
    if (!directory_) return;
    try {
      write_mirror_record(*directory_, {source_, last_success});
    } catch (std::system_error const& failure) {
      spdlog::warn("the age of the mirror cannot be recorded in --state-directory: {}", failure.what());
    }
  }

  std::optional<std::string> directory_;
  std::string source_;
};

std::string in_words(MirrorRound const& round) {
  return fmt::format("{}; {}", describe("patterns", round.changes.patterns),
                     describe("deployments", round.changes.deployments));
}

asio::awaitable<void> run_once(Mirror& mirror, Record& record, bool dry_run) {
  MirrorRound round;
  try {
    auto work = mirror.run_round();
    round = co_await std::move(work);
  } catch (std::exception const&) {
    if (!dry_run) record.note_failure();
    throw;
  }
  auto const changes =
      describe("patterns", round.changes.patterns) + '\n' + describe("deployments", round.changes.deployments) + '\n';
  if (!dry_run) record.note_success();
  print((dry_run ? std::string("Nothing was changed. This sync would change:\n")
                 : fmt::format("Mirrored {}:\n", mirror.source_name())) +
        changes);
}

/// Why a round failed, and how long the source asks to wait.
struct Failure {
  std::string what;
  std::optional<std::chrono::seconds> retry_after;
};

milliseconds pause_after_failures(unsigned in_a_row, Failure const& failure, milliseconds every) {
  auto const pause =
      base::jittered(std::min(every, first_pause_after_failure * (1U << std::min(in_a_row - 1, most_doublings))));
  if (!failure.retry_after) return pause;
  return std::max<milliseconds>(pause, std::min<std::chrono::seconds>(*failure.retry_after, longest_retry_after));
}

asio::awaitable<std::optional<Failure>> try_round(Mirror& mirror, MirrorRound& round) {
  try {
    auto work = mirror.run_round();
    round = co_await std::move(work);
    co_return std::nullopt;
  } catch (SourceError const& error) {
    co_return Failure{error.what(), error.retry_after};
  } catch (std::exception const& error) {
    co_return Failure{error.what(), std::nullopt};
  }
}

asio::awaitable<void> run_every(Mirror& mirror, Record& record, milliseconds every) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  bool first = true;
  for (unsigned failures = 0;;) {
    MirrorRound round;
    auto work = try_round(mirror, round);
    auto const failure = co_await std::move(work);
    auto pause = every + base::jittered(every / 10);
    if (failure) {
      record.note_failure();
      pause = pause_after_failures(++failures, *failure, every);
      spdlog::error("the mirror was not renewed: {}; what it has stays; next attempt in {}", failure->what,
                    auth::in_units(std::chrono::ceil<std::chrono::seconds>(pause)));
    } else {
      record.note_success();
      auto const changed = storage::any(round.changes);
      if (round.read && (first || changed || failures > 0))
        spdlog::info("mirrored {}: {}", mirror.source_name(), in_words(round));
      else if (failures > 0)
        spdlog::info("{} can be read again, and nothing has changed", mirror.source_name());
      else
        spdlog::debug("mirrored {}: nothing has changed", mirror.source_name());
      failures = 0;
      first = false;
    }
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

/// Runs to the end of `work`, or until a signal ends it. A transaction that has begun is finished before.
void run(asio::awaitable<void> work, bool until_signal) {
  auto loop = std::make_unique<EventLoop>(1);
  std::exception_ptr failure;
  asio::signal_set signals(*loop);
  if (until_signal) {
    signals.add(SIGTERM);
    signals.add(SIGINT);
    signals.async_wait([&loop](boost::system::error_code cancelled, int) {
      if (!cancelled) loop->stop();
    });
  }
  asio::co_spawn(*loop, std::move(work), [&](std::exception_ptr thrown) {
    failure = std::move(thrown);
    loop->stop();
  });
  loop->run();
  abandon(std::move(loop));
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

int run_sync(Settings const& settings, Operands const&) {
  auto const place = read_store_place(settings);
  auto const from = settings.require("from", to_source_url);
  auto const token_file = settings.require("token-file", as_text);
  auto const every = settings.read("every", to_interval);
  MirrorPlan plan{place.url, place.relations, read_patterns(settings),
                  settings.read("dry-run", parse_switch).value_or(false)};
  if (plan.dry_run && every) throw UsageError("--dry-run: does not go together with --every");
  storage::require_own_tables(place.relations);

  Source source(from, token_file, settings.read("ca", as_text));
  Record record(read_state_directory(settings), source.name());
  source.reload();
  if (auto const exposure = auth::exposure_of(auth::read_key_file(token_file), "this token"))
    spdlog::warn("{}", *exposure);
  await_store(settings, place, every ? 0 : 69);
  bool const dry_run = plan.dry_run;
  Mirror mirror(std::move(plan), std::move(source));
  run(every ? run_every(mirror, record, *every) : run_once(mirror, record, dry_run), every.has_value());
  return 0;
}

}  // namespace deployd::server
