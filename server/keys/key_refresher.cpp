#include "server/keys/key_refresher.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "auth/refusal_report.hpp"
#include "base/jitter.hpp"
#include "server/fetch/fetch.hpp"
#include "server/keys/kept_keys.hpp"
#include "server/listen/descriptor_limit.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::chrono::seconds least_max_age{2};
constexpr milliseconds first_pause{1000};
constexpr milliseconds longest_pause{60'000};  // after failures
constexpr unsigned most_doublings = 20;
constexpr std::chrono::hours same_failure_logged_every{1};

std::string in_units(milliseconds time) {
  if (time < std::chrono::seconds(10)) return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
  return auth::in_units(std::chrono::round<std::chrono::seconds>(time));
}

std::string age_of(system_clock::time_point fetched) {
  auto const age = std::chrono::floor<std::chrono::seconds>(system_clock::now() - fetched);
  return auth::in_units(std::max(age, std::chrono::seconds(0)));
}

/// Returns the pause before the next fetch. A longer `max-age` does not lengthen it, since keys can be withdrawn.
milliseconds pause_after(FetchedKeySet const& fetched, milliseconds refresh) {
  if (!fetched.max_age || fetched.max_age->count() == 0) return refresh;
  return std::min<milliseconds>(refresh, std::max(*fetched.max_age, least_max_age));
}

milliseconds pause_after(FetchFault const& fault, unsigned failures_in_a_row, milliseconds refresh) {
  auto const doublings = std::min(failures_in_a_row - 1, most_doublings);
  auto pause = base::jittered(std::min({refresh, longest_pause, first_pause * (1U << doublings)}));
  if (fault.retry_after) pause = std::max(pause, std::min<milliseconds>(*fault.retry_after, refresh));
  return pause;
}

}  // namespace

struct KeyRefresher::Source {
  Source(KeyLocation where, asio::io_context& loop)
      : location(std::move(where)), name(name_of(location)), timer(loop) {}

  KeyLocation const location;
  std::string const name;

  // Under the mutex:
  std::string text = {};
  std::vector<auth::Key> keys = {};
  std::optional<system_clock::time_point> last_success = {};
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  bool tried = false;
  std::optional<Clock::time_point> due = {};         // of the next fetch; unset during a fetch
  std::optional<Clock::time_point> last_begin = {};  // of the last fetch that has ended
  Clock::time_point not_before = {};                 // as the provider has asked

  // Used on the thread of the loop:
  asio::steady_timer timer;
  bool again = false;    // fetch at once
  bool removed = false;  // and never again
  unsigned failures_in_a_row = 0;
  std::string last_failure = {};
  Clock::time_point failure_logged = {};
  std::optional<KeySetVersion> version = {};

  void wake() {
    again = true;
    timer.cancel();
  }

  bool has_result() const noexcept { return tried || !keys.empty(); }
};

std::shared_ptr<asio::ssl::context> KeyRefresher::trust_for(KeySourceOptions const& options) {
  return options.locations.empty() ? nullptr : make_trust(options.ca_file);
}

KeyRefresher::KeyRefresher(KeySourceOptions options, Ring local)
    : options_(std::move(options)), trust_(trust_for(options_)), local_(std::move(local)), ring_(local_) {
  for (auto const& location : options_.locations) sources_.push_back(make_source(location));
  join_keys(false);
}

void KeyRefresher::stop() noexcept {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

KeyRefresher::~KeyRefresher() {
  stop();
  if (loop_) abandon(std::move(loop_));
}

std::shared_ptr<KeyRefresher::Source> KeyRefresher::make_source(KeyLocation location) {
  if (!loop_) {
    loop_ = std::make_unique<EventLoop>();
    demand_timer_.emplace(*loop_);
  }
  auto source = std::make_shared<Source>(std::move(location), *loop_);
  if (!options_.state_directory) return source;
  try {
    auto kept = read_kept_keys(*options_.state_directory, source->location);
    if (!kept) return source;
    source->text = std::move(kept->set.text);
    source->keys = std::move(kept->set.keys);
    source->last_success = kept->fetched;
    spdlog::info("{}: its keys fetched {} ago are in use until they are fetched again: {}", source->name,
                 age_of(kept->fetched), describe_keys(source->keys));
  } catch (std::exception const& failure) {
    spdlog::warn("kept keys are not used: {}", failure.what());
  }
  return source;
}

KeyRefresher::Ring KeyRefresher::ring() const {
  std::scoped_lock const lock(mutex_);
  return ring_;
}

/// Requires the mutex. `rotated`: a fetch has changed the keys of a source.
void KeyRefresher::join_keys(bool rotated) {
  std::vector<auth::Key> fetched;
  for (auto const& source : sources_) std::ranges::copy(source->keys, std::back_inserter(fetched));
  ring_ = fetched.empty() ? local_ : auth::KeyRing::with_keys(*local_, fetched);
  std::set<std::string, std::less<>> kids;
  for (auto const& key : ring_->keys())
    if (key.kid) kids.insert(*key.kid);
  // Before the workers have the keys: a token whose key is missing there waits for them.
  demand_.set_kids(std::move(kids), rotated, Clock::now());
  if (events_.new_keys) events_.new_keys(ring_);
}

void KeyRefresher::start(Events events) {
  std::scoped_lock const lock(mutex_);
  events_ = std::move(events);
  if (!sources_.empty()) run();
}

/// Requires the mutex.
void KeyRefresher::run() {
  for (auto const& source : sources_) spawn(source);
  try {
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "keys");
      auto const work = asio::make_work_guard(*loop_);
      loop_->run_on();
    });
  } catch (std::system_error const& failure) {
    throw UnavailableError(
        fmt::format("cannot start a thread that fetches keys ({}): raise TasksMax=", failure.code().message()));
  }
}

void KeyRefresher::spawn(std::shared_ptr<Source> source) {
  auto work = keep_fresh(source);
  asio::co_spawn(*loop_, std::move(work), [this, source = std::move(source)](std::exception_ptr const& failure) {
    if (failure) spawn(source);
  });
}

void KeyRefresher::wait_for_keys(milliseconds most) {
  std::unique_lock lock(mutex_);
  tried_.wait_for(lock, most, [this] { return std::ranges::all_of(sources_, &Source::has_result); });
}

void KeyRefresher::replace(KeySourceOptions options, std::shared_ptr<asio::ssl::context> trust, Ring local) {
  std::scoped_lock const lock(mutex_);
  options_ = std::move(options);
  trust_ = std::move(trust);
  local_ = std::move(local);
  Sources fresh;
  Sources added;
  for (auto const& location : options_.locations) {
    auto const known = std::ranges::find_if(sources_, [&](auto const& source) { return source->location == location; });
    if (known != sources_.end()) {
      fresh.push_back(*known);
      continue;
    }
    fresh.push_back(make_source(location));
    added.push_back(fresh.back());
  }
  auto const before = std::exchange(sources_, std::move(fresh));
  join_keys(false);
  if (!thread_.joinable()) {
    if (!sources_.empty()) run();
    return;
  }
  asio::post(*loop_, [this, before, after = sources_, added] {
    for (auto const& source : before) {
      source->removed = std::ranges::find(after, source) == after.end();
      source->wake();
    }
    for (auto const& source : added) spawn(source);
  });
}

bool KeyRefresher::key_missing(std::string_view kid) {
  std::scoped_lock const lock(mutex_);
  if (sources_.empty()) return false;
  auto const advice = demand_.missed(kid, Clock::now(), next_fetch());
  if (advice.fetch_at) asio::post(*loop_, [this, at = *advice.fetch_at] { fetch_on_demand(at); });
  return advice.wait;
}

/// Returns when the last source is fetched again. Requires the mutex.
KeyRefresher::Clock::time_point KeyRefresher::next_fetch() const {
  auto latest = Clock::time_point::min();
  for (auto const& source : sources_) latest = std::max(latest, source->due.value_or(Clock::time_point::max()));
  return latest;
}

/// Fetches everything at `at` if a token still waits for it.
void KeyRefresher::fetch_on_demand(Clock::time_point at) {
  demand_timer_->expires_at(at);
  demand_timer_->async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    auto const now = Clock::now();
    std::scoped_lock const lock(mutex_);
    if (!demand_.begin_fetch(now)) return;
    for (auto const& source : sources_) {
      if (now >= source->not_before)
        source->wake();
      else
        note_end(*source, now);
    }
  });
}

/// Notes the end of a fetch after which tokens do not wait any longer for this source. Requires the mutex.
void KeyRefresher::note_end(Source& source, Clock::time_point begin) {
  source.last_begin = begin;
  bool failed = false;
  for (auto const& other : sources_) {
    if (!other->last_begin) return;
    begin = std::min(begin, *other->last_begin);
    failed |= other->failures_in_a_row > 0;
  }
  if (demand_.end_fetch(begin, failed) && events_.no_new_keys) events_.no_new_keys();
}

asio::awaitable<void> KeyRefresher::keep_fresh(std::shared_ptr<Source> source) {
  constexpr auto without_exceptions = asio::as_tuple(asio::use_awaitable);
  while (!source->removed) {
    source->again = false;
    auto const begin = Clock::now();
    try {
      co_await refresh(*source);
    } catch (std::exception const& failure) {
      note_failure(*source, {fmt::format("{}: {}", source->name, failure.what())}, begin);
    }
    while (!source->removed && !source->again) {
      auto const due = due_of(*source);
      if (Clock::now() >= due) break;
      source->timer.expires_at(due);
      co_await source->timer.async_wait(without_exceptions);
    }
  }
}

KeyRefresher::Clock::time_point KeyRefresher::due_of(Source const& source) const {
  std::scoped_lock const lock(mutex_);
  // Unset only if memory ran out before it could be set.
  return source.due.value_or(Clock::now() + first_pause);
}

asio::awaitable<void> KeyRefresher::refresh(Source& source) {
  auto const begin = Clock::now();
  std::shared_ptr<asio::ssl::context> trust;
  {
    std::scoped_lock const lock(mutex_);
    source.due.reset();
    trust = trust_;
  }
  auto fetching = async_fetch_keys(source.location, source.version, trust);
  auto fetched = co_await std::move(fetching);
  if (source.removed) co_return;
  if (fetched)
    accept(source, std::move(*fetched), begin);
  else
    note_failure(source, fetched.error(), begin);
}

void KeyRefresher::accept(Source& source, FetchedKeySet fetched, Clock::time_point begin) {
  std::unique_lock lock(mutex_);
  source.due = Clock::now() + pause_after(fetched, options_.refresh);
  source.not_before = {};
  source.version = std::move(fetched.version);
  bool const had_keys = source.last_success.has_value();
  source.last_success = system_clock::now();
  ++source.successes;
  bool const changed = fetched.set && fetched.set->text != source.text;
  if (changed) {
    source.text = fetched.set->text;
    source.keys = fetched.set->keys;
    join_keys(had_keys);
  }
  bool const failed_before = std::exchange(source.failures_in_a_row, 0) > 0;
  note_end(source, begin);
  auto const directory = options_.state_directory;
  lock.unlock();

  if (changed) {
    spdlog::info("{}: fetched {}", source.name, describe_keys(fetched.set->keys));
    for (auto const& line : fetched.set->complaints) spdlog::warn("{}", line);
  } else if (failed_before) {
    spdlog::info("{}: fetched again, with the same keys", source.name);
  }
  source.last_failure.clear();
  note_tried(source);
  if (!directory) return;
  try {
    keep_keys(*directory, source.location, source.text);  // also unchanged: the file has the time of the last success
  } catch (std::exception const& failure) {
    spdlog::warn("{}: its keys cannot be kept in --state-directory: {}", source.name, failure.what());
  }
}

/// Lets `wait_for_keys` go on, once the log has the result.
void KeyRefresher::note_tried(Source& source) {
  std::scoped_lock const lock(mutex_);
  source.tried = true;
  tried_.notify_all();
}

void KeyRefresher::note_failure(Source& source, FetchFault const& fault, Clock::time_point begin) {
  std::unique_lock lock(mutex_);
  ++source.failures;
  ++source.failures_in_a_row;
  auto const pause = pause_after(fault, source.failures_in_a_row, options_.refresh);
  source.due = Clock::now() + pause;
  source.not_before = fault.retry_after ? *source.due : Clock::time_point();
  // After a first failure the next fetch may soon bring the keys that tokens wait for.
  if (source.failures_in_a_row > 1 || pause > first_pause) note_end(source, begin);
  auto const last_success = source.last_success;
  lock.unlock();

  auto const now = Clock::now();
  bool const told = fault.what == source.last_failure && now < source.failure_logged + same_failure_logged_every;
  if (!told) source.failure_logged = now;
  source.last_failure = fault.what;
  auto const consequence = last_success ? fmt::format("the keys fetched {} ago stay in use", age_of(*last_success))
                                        : std::string("tokens signed with its keys are refused");
  spdlog::log(told ? spdlog::level::debug : spdlog::level::warn, "keys not fetched: {}; {}; next attempt in {}",
              fault.what, consequence, in_units(pause));
  note_tried(source);
}

std::vector<KeySourceStatus> KeyRefresher::statuses() const {
  std::scoped_lock const lock(mutex_);
  std::vector<KeySourceStatus> all;
  std::map<std::string, unsigned, std::less<>> names;
  for (auto const& source : sources_) {
    // URLs that differ in their query only have the same name.
    auto const count = ++names[source->name];
    auto name = count == 1 ? source->name : fmt::format("{} ({})", source->name, count);
    all.push_back({std::move(name), source->successes, source->failures, source->keys.size(), source->last_success});
  }
  return all;
}

}  // namespace deployd::server
