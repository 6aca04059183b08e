#include "server/sync/mirror.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <string_view>
#include <utility>

#include "auth/refusal_report.hpp"
#include "base/jitter.hpp"
#include "storage/error.hpp"
#include "storage/transfer/mirror.hpp"
#include "storage/transfer/row_spool.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::hours etags_used_for{1};

// The two lists of a whole mirror are read one after the other. If the source is changed in between, they may not fit.
constexpr unsigned max_readings = 3;
constexpr std::chrono::milliseconds between_readings{1000};

SourceList const all_patterns(storage::Table::patterns, "/api/v1/patterns");
SourceList const all_deployments(storage::Table::deployments, "/api/v1/deployments");

/// The deployments of one pattern, whose own row is added before the first of them.
class DeploymentsOfPattern final : public storage::ImportRows {
 public:
  DeploymentsOfPattern(std::string const& name, storage::RowSpool& rows) : name_(name), rows_(rows) {}

  void add(storage::ImportRow const& row) override {
    if (!id_) rows_.add({.id = *row.pattern_id, .name = name_});
    if (id_.value_or(*row.pattern_id) != *row.pattern_id)
      throw storage::BadRow({}, fmt::format("deployment {} is of pattern {}, and others are of pattern {}: the source "
                                            "does not filter by pattern",
                                            row.id, *row.pattern_id, *id_));
    id_ = row.pattern_id;
    rows_.add(row);
  }

  std::optional<std::int64_t> pattern_id() const noexcept { return id_; }
  void restart() noexcept { id_.reset(); }

 private:
  std::string const& name_;
  storage::RowSpool& rows_;
  std::optional<std::int64_t> id_;
};

/// The pattern with a name.
class NamedPattern final : public storage::ImportRows {
 public:
  explicit NamedPattern(std::string const& name) : name_(name) {}

  void add(storage::ImportRow const& row) override {
    if (row.name != name_)
      throw storage::BadRow(
          {}, fmt::format("pattern {} is {}: the source does not filter by name", row.id, auth::in_quotes(row.name)));
    id_ = row.id;
  }

  std::optional<std::int64_t> id() const noexcept { return id_; }
  void restart() noexcept { id_.reset(); }

 private:
  std::string const& name_;
  std::optional<std::int64_t> id_;
};

/// True if the source has no such list: it is another program, or an earlier version.
bool has_no_list(SourceError const& error) noexcept {
  auto const status = error.status.value_or(0);
  return status == 400 || status == 404 || status == 405 || status == 410 || status == 501;
}

}  // namespace

Mirror::Mirror(MirrorPlan plan, Source source) : plan_(std::move(plan)), source_(std::move(source)) {}

asio::awaitable<MirrorRound> Mirror::run_round() {
  source_.reload();
  if (Clock::now() - known_since_ >= etags_used_for) known_.clear();
  if (known_.empty()) known_since_ = Clock::now();
  return plan_.patterns.empty() ? run_round_of_everything() : run_round_of_patterns();
}

std::optional<std::string> Mirror::etag_of(SourceList const& list) const {
  auto const known = known_.find(list.target);
  return known == known_.end() ? std::nullopt : known->second.etag;
}

storage::ImportChanges Mirror::apply(storage::RowSpool& rows, std::vector<std::string> patterns) {
  try {
    return storage::mirror(plan_.database, plan_.relations, rows,
                           {.patterns = std::move(patterns), .dry_run = plan_.dry_run});
  } catch (storage::Error const& error) {
    if (error.code() != storage::errc::bad_input) throw;
    throw SourceError(ExitStatus::data, fmt::format("{}: {}", source_.name(), error.what()));
  }
}

asio::awaitable<MirrorRound> Mirror::run_round_of_patterns() {
  storage::RowSpool rows;
  KnownLists fresh;
  std::vector<std::string> changed;
  std::map<std::int64_t, std::string> names;
  for (auto const& name : plan_.patterns) {
    SourceList const list(storage::Table::deployments, "/api/v1/deployments?pattern=", name);
    auto const mark = rows.mark();
    DeploymentsOfPattern deployments(name, rows);
    std::function<void()> const begin = [&] {
      rows.cut(mark);
      deployments.restart();
    };
    auto work = source_.read(list, etag_of(list), deployments, begin);
    auto const answer = co_await std::move(work);
    auto id = deployments.pattern_id();
    if (!answer.modified) {
      fresh[list.target] = known_[list.target];
      id = known_[list.target].pattern_id;
    } else {
      changed.push_back(name);
      if (!id) {
        auto finding = find_pattern(name);
        id = co_await std::move(finding);
        if (id) rows.add({.id = *id, .name = name});
      }
      fresh[list.target] = {answer.etag, id};
    }
    if (!id) continue;
    auto const [known, added] = names.emplace(*id, name);
    if (!added)
      throw SourceError(ExitStatus::data, fmt::format("{}: the patterns {} and {} have the same id {}", source_.name(),
                                                      auth::in_quotes(known->second), auth::in_quotes(name), *id));
  }
  MirrorRound round{.read = !changed.empty()};
  if (round.read) round.changes = apply(rows, std::move(changed));
  known_ = std::move(fresh);
  co_return round;
}

/// Returns the id of a pattern without deployments, or nothing if the source has no list of patterns.
asio::awaitable<std::optional<std::int64_t>> Mirror::find_pattern(std::string name) {
  NamedPattern pattern(name);
  std::function<void()> const begin = [&] { pattern.restart(); };
  SourceList const list(storage::Table::patterns, "/api/v1/patterns?name=", name);
  try {
    auto work = source_.read(list, std::nullopt, pattern, begin);
    co_await std::move(work);
  } catch (SourceError const& error) {
    if (!has_no_list(error)) throw;
  }
  if (!pattern.id() && told_.insert(name).second)
    spdlog::warn(
        "{}: pattern {} has no deployments, so its id is not known; a mirror that does not have the pattern yet "
        "gets it with its first deployment",
        source_.name(), auth::in_quotes(name));
  co_return pattern.id();
}

/// Returns false if the list has not changed.
asio::awaitable<bool> Mirror::read_whole(SourceList list, bool always, storage::RowSpool& rows, KnownLists& fresh) {
  auto const mark = rows.mark();
  std::function<void()> const begin = [&] { rows.cut(mark); };
  auto work = source_.read(list, always ? std::nullopt : etag_of(list), rows, begin);
  auto const answer = co_await std::move(work);
  fresh[list.target] = answer.modified ? Known{answer.etag} : known_[list.target];
  co_return answer.modified;
}

/// Returns false if neither list has changed. Otherwise both are read.
asio::awaitable<bool> Mirror::read_everything(storage::RowSpool& rows, KnownLists& fresh) {
  bool patterns = false;
  try {
    auto work = read_whole(all_patterns, false, rows, fresh);
    patterns = co_await std::move(work);
  } catch (SourceError const& error) {
    if (!has_no_list(error)) throw;
    throw SourceError(
        ExitStatus::unavailable,
        fmt::format("{}; without this list the names of its patterns are not known: name each one with --pattern",
                    error.what()));
  }
  auto work = read_whole(all_deployments, patterns, rows, fresh);
  bool const deployments = co_await std::move(work);
  if (deployments && !patterns) {
    auto again = read_whole(all_patterns, true, rows, fresh);
    co_await std::move(again);
  }
  co_return patterns || deployments;
}

asio::awaitable<MirrorRound> Mirror::run_round_of_everything() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (unsigned reading = 1;; ++reading) {
    storage::RowSpool rows;
    KnownLists fresh;
    MirrorRound round;
    auto work = read_everything(rows, fresh);
    round.read = co_await std::move(work);
    std::optional<SourceError> misfit;
    try {
      if (round.read) round.changes = apply(rows, {});
    } catch (SourceError const& error) {
      misfit = error;
    }
    if (!misfit) {
      known_ = std::move(fresh);
      co_return round;
    }
    if (reading == max_readings) throw *misfit;
    spdlog::info("{}; both lists are read again", misfit->what());
    known_.clear();
    timer.expires_after(base::jittered(between_readings));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace deployd::server
