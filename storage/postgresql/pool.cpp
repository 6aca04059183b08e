#include "storage/postgresql/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/wait_for_outcome.hpp"
#include "storage/error.hpp"

namespace deployd::storage {

using boost::asio::awaitable;
using boost::system::error_code;
using boost::system::result;
using Clock = std::chrono::steady_clock;

namespace {

// The maximum number of waiting queries per session. More are refused, since they would not be answered in time.
constexpr std::size_t waiting_for_each = 128;

// The limit in overload, so that no query waits much longer than it takes itself.
constexpr std::size_t waiting_for_each_in_overload = 2;

// The minimum number of look-ups in a combined query: small enough that several sessions share the work when there are
// many, and that none waits long for the others.
constexpr std::size_t fewest_together = 16;
constexpr std::size_t most_together = 32;

void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

/// A query in progress.
struct PostgresqlPool::Question : base::Awaited<result<PostgresqlRows>> {
  Question(PostgresqlPool const& pool, PostgresqlStatement const& asked)
      : Awaited(pool.worker_, pool.deadline(), make_error_code(errc::timeout)), statement(asked) {}

  PostgresqlStatement const& statement;
  PostgresqlParameters parameters;
  std::optional<std::int64_t> id;  // of the deployment, for a look-up
  Clock::time_point queued = Clock::now();
  std::optional<std::size_t> row;  // of the deployment
  bool tried = false;              // on a session that broke
};

PostgresqlPool::PostgresqlPool(boost::asio::any_io_executor worker, PostgresqlConnector& connector,
                               std::size_t sessions)
    : worker_(worker), loop_(std::make_shared<WorkerLoop>(worker)), connector_(connector), most_sessions_(sessions) {}

void PostgresqlPool::close() {
  loop_->close();
}

awaitable<result<PostgresqlRows>> PostgresqlPool::ask(PostgresqlStatement const& statement,
                                                      PostgresqlParameters parameters) {
  auto const question = std::make_shared<Question>(*this, statement);
  question->parameters = std::move(parameters);
  co_await wait_for(question);
  co_return std::move(question->value);
}

awaitable<result<FoundRow>> PostgresqlPool::look_up(std::int64_t id) {
  auto const question = std::make_shared<Question>(*this, source().queries.deployment());
  question->id = id;
  co_await wait_for(question);
  if (!question->value) co_return question->value.error();
  co_return FoundRow{std::move(*question->value), question->row};
}

awaitable<void> PostgresqlPool::wait_for(std::shared_ptr<Question> question) {
  if (is_too_much()) {
    question->value = make_error_code(errc::overloaded);
    co_return;
  }
  waiting_.push_back(question);
  publish();
  schedule_dispatch();
  co_await question->wait();
  if (std::exchange(question->done, true)) co_return;
  std::erase(waiting_, question);
  publish();
}

/// True if one more query would wait too long.
bool PostgresqlPool::is_too_much() noexcept {
  auto const waiting = waiting_.size();
  return waiting >= waiting_for_each * most_sessions_ ||
         overload_.refuses(waiting, waiting_for_each_in_overload * most_sessions_, Clock::now());
}

/// Queries are handed out after all handlers that are ready have run, so that those which arrive together are combined.
void PostgresqlPool::schedule_dispatch() {
  if (std::exchange(dispatching_, true)) return;
  boost::asio::post(worker_, [self = shared_from_this()] {
    self->dispatching_ = false;
    self->dispatch();
  });
}

void PostgresqlPool::dispatch() {
  while (!waiting_.empty() && !free_.empty()) {
    auto session = std::move(free_.back());
    free_.pop_back();
    if (!session->usable()) {
      --sessions_;
      continue;
    }
    boost::asio::co_spawn(worker_, put(std::move(session), next_questions()),
                          [self = shared_from_this()](std::exception_ptr failure) { rethrow(failure); });
  }
  if (!waiting_.empty()) open_another();
  publish();
}

void PostgresqlPool::publish() noexcept {
  metrics_.sessions.set(sessions_);
  metrics_.busy.set(sessions_ - free_.size());
  metrics_.queued.set(waiting_.size());
}

/// Returns a look-up combined with all others like it, or the first query of another kind.
PostgresqlPool::Questions PostgresqlPool::next_questions() {
  Questions questions;
  auto const shares = free_.size() + 1;
  auto const share = std::clamp((waiting_.size() + shares - 1) / shares, fewest_together, most_together);
  do {
    metrics_.waits.observe(Clock::now() - waiting_.front()->queued);
    questions.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (questions.front()->id && !waiting_.empty() && waiting_.front()->id && questions.size() < share);
  return questions;
}

awaitable<void> PostgresqlPool::put(std::shared_ptr<PostgresqlSession> session, Questions questions) {
  auto const rows = co_await put_together(*session, questions);
  bool const broke = !rows && !session->usable();
  // Sessions that were idle meanwhile have probably lost their connection too.
  if (broke) sessions_ -= std::exchange(free_, {}).size();
  for (auto const& question : questions) {
    if (question->done) continue;
    if (broke && !std::exchange(question->tried, true)) {
      waiting_.push_front(question);
      continue;
    }
    if (!rows) connector_.state().failed(rows.error(), session->message());
    question->finish(rows);
  }
  take_back(std::move(session));
}

/// Runs one query for all `questions`, which are look-ups unless there is only one.
awaitable<result<PostgresqlRows>> PostgresqlPool::put_together(PostgresqlSession& session, Questions const& questions) {
  auto const& first = *questions.front();
  if (!first.id) {
    auto rows = co_await session.run(first.statement, first.parameters);
    co_return rows;
  }
  std::vector<std::int64_t> ids;
  for (auto const& question : questions) ids.push_back(*question->id);
  bool const alone = ids.size() == 1;
  PostgresqlParameters parameters;
  parameters.push_back(alone ? std::to_string(ids.front()) : array_literal(ids));
  auto const& statement = alone ? source().queries.deployment() : source().queries.deployments();
  auto rows = co_await session.run(statement, parameters);
  if (rows) {
    auto const count = row_count(**rows);
    for (std::size_t row = 0; row < count; ++row) {
      auto const id = whole_number(**rows, row, 0);
      // An id may occur twice in relations of another program: a row that is not a valid deployment is replaced.
      for (auto const& question : questions)
        if (id == question->id && (!question->row || !is_deployment(**rows, *question->row))) question->row = row;
    }
  }
  co_return rows;
}

void PostgresqlPool::take_back(std::shared_ptr<PostgresqlSession> session) {
  if (session->usable())
    free_.push_back(std::move(session));
  else
    --sessions_;
  dispatch();
}

void PostgresqlPool::open_another() {
  if (opening_ || sessions_ >= most_sessions_) return;
  opening_ = connector_.open(loop_, SessionUse::queries, [weak = weak_from_this()](PostgresqlConnector::Result opened) {
    auto const self = weak.lock();
    if (!self) return;
    self->opening_ = false;
    if (!opened) return self->fail_waiting();
    ++self->sessions_;
    self->take_back(std::make_shared<PostgresqlSession>(self->worker_, std::move(*opened), self->source()));
  });
  if (!opening_) fail_waiting();
}

/// Called when the server is unreachable: all waiting queries fail, unless there are open sessions.
void PostgresqlPool::fail_waiting() {
  if (sessions_ > 0) return;
  for (auto const& question : std::exchange(waiting_, {})) question->finish(make_error_code(errc::unavailable));
}

awaitable<result<std::shared_ptr<PostgresqlSession>>> PostgresqlPool::open_session() {
  using Opening = base::Awaited<result<std::shared_ptr<PostgresqlSession>>>;
  // Only this coroutine holds the timer, which must not outlive the loop.
  auto const opening = std::make_shared<Opening>(worker_, deadline(), make_error_code(errc::timeout));
  bool const asked = connector_.open(
      loop_, SessionUse::cursor,
      [weak_pool = weak_from_this(), weak_opening = std::weak_ptr(opening)](PostgresqlConnector::Result opened) {
        auto const pool = weak_pool.lock();
        auto const waiting = weak_opening.lock();
        if (!pool || !waiting) return;
        if (!opened) return waiting->finish(opened.error());
        waiting->finish(std::make_shared<PostgresqlSession>(pool->worker_, std::move(*opened), pool->source()));
      });
  if (!asked) co_return make_error_code(errc::unavailable);
  co_await opening->wait();
  co_return std::move(opening->value);
}

}  // namespace deployd::storage
