#include "storage/postgresql/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

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

/// A query in progress. Shared by the coroutine that waits for the result and the one that provides it: either may end
/// first.
struct PostgresqlPool::Question {
  Question(boost::asio::any_io_executor const& worker, PostgresqlStatement const& asked)
      : statement(asked), timer(worker) {}

  PostgresqlStatement const& statement;
  PostgresqlParameters parameters;
  std::optional<std::int64_t> id;  // of the deployment, for a look-up
  boost::asio::steady_timer timer;
  Clock::time_point queued;

  result<PostgresqlRows> rows = make_error_code(errc::timeout);
  std::optional<std::size_t> row;  // of the deployment
  bool lost = false;               // by a session that broke
  bool last_try = false;
  bool done = false;

  void finish(result<PostgresqlRows> answer, bool session_broke) {
    rows = std::move(answer);
    lost = session_broke;
    done = true;
    timer.cancel();
  }
};

struct PostgresqlPool::Opening {
  explicit Opening(boost::asio::any_io_executor const& worker) : timer(worker) {}
  boost::asio::steady_timer timer;
  bool done = false;
  result<std::shared_ptr<PostgresqlSession>> outcome = make_error_code(errc::timeout);
};

PostgresqlPool::PostgresqlPool(boost::asio::any_io_executor worker, PostgresqlConnector& connector,
                               PostgresqlQueries const& queries, std::size_t sessions)
    : worker_(worker),
      loop_(std::make_shared<WorkerLoop>(worker)),
      connector_(connector),
      queries_(queries),
      most_sessions_(sessions) {}

void PostgresqlPool::close() {
  loop_->close();
}

awaitable<result<PostgresqlRows>> PostgresqlPool::ask(PostgresqlStatement const& statement,
                                                      PostgresqlParameters parameters) {
  auto const question = std::make_shared<Question>(worker_, statement);
  question->parameters = std::move(parameters);
  co_await wait_twice(question);
  co_return std::move(question->rows);
}

awaitable<result<FoundRow>> PostgresqlPool::look_up(std::int64_t id) {
  auto const question = std::make_shared<Question>(worker_, queries_.deployment());
  question->id = id;
  co_await wait_twice(question);
  if (!question->rows) co_return question->rows.error();
  co_return FoundRow{std::move(*question->rows), question->row};
}

awaitable<void> PostgresqlPool::wait_twice(std::shared_ptr<Question> question) {
  question->timer.expires_after(connector_.source().timeout);
  co_await wait_for(question);
  if (!question->lost) co_return;
  // Sessions that were idle meanwhile have probably lost their connection too.
  sessions_ -= free_.size();
  free_.clear();
  question->done = false;
  question->last_try = true;
  co_await wait_for(question);
}

/// Waits until the query's timer expires.
awaitable<void> PostgresqlPool::wait_for(std::shared_ptr<Question> question) {
  if (is_too_much()) {
    question->finish(make_error_code(errc::overloaded), false);
    co_return;
  }
  question->queued = Clock::now();
  waiting_.push_back(question);
  publish();
  schedule_dispatch();
  co_await base::wait_for_outcome(question->timer, question->done);
  if (question->done) co_return;
  std::erase(waiting_, question);
  publish();
  question->finish(make_error_code(errc::timeout), false);
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
  if (questions.front()->id) {
    co_await put_together(*session, questions);
  } else {
    auto& question = *questions.front();
    auto rows = co_await session->run(question.statement, question.parameters);
    question.finish(std::move(rows), !session->usable());
  }
  for (auto const& question : questions)
    if (!question->rows && (!question->lost || question->last_try))
      connector_.state().failed(question->rows.error(), session->message());
  take_back(std::move(session));
}

awaitable<void> PostgresqlPool::put_together(PostgresqlSession& session, Questions& questions) {
  std::vector<std::int64_t> ids;
  for (auto const& question : questions) ids.push_back(*question->id);
  bool const alone = ids.size() == 1;
  PostgresqlParameters parameters;
  parameters.push_back(alone ? std::to_string(ids.front()) : array_literal(ids));
  auto const& statement = alone ? queries_.deployment() : queries_.deployments();
  auto const rows = co_await session.run(statement, parameters);
  if (rows) {
    auto const count = row_count(**rows);
    for (std::size_t row = 0; row < count; ++row) {
      auto const id = whole_number(**rows, row, 0);
      // An id may occur twice in relations of another program: a row that is not a valid deployment is replaced.
      for (auto const& question : questions)
        if (id == question->id && (!question->row || !is_deployment(**rows, *question->row))) question->row = row;
    }
  }
  bool const broke = !rows && !session.usable();
  for (auto const& question : questions) question->finish(rows, broke);
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
    self->take_back(std::make_shared<PostgresqlSession>(self->worker_, std::move(*opened), self->connector_.source()));
  });
  if (!opening_) fail_waiting();
}

/// Called when the server is unreachable: all waiting queries fail, unless there are open sessions.
void PostgresqlPool::fail_waiting() {
  if (sessions_ > 0) return;
  for (auto const& question : std::exchange(waiting_, {})) question->finish(make_error_code(errc::unavailable), false);
}

awaitable<result<std::shared_ptr<PostgresqlSession>>> PostgresqlPool::open_session() {
  auto const opening = std::make_shared<Opening>(worker_);
  opening->timer.expires_after(connector_.source().timeout);
  // Only this coroutine holds the timer, which must not outlive the loop.
  bool const asked = connector_.open(
      loop_, SessionUse::cursor,
      [weak_pool = weak_from_this(), weak_opening = std::weak_ptr(opening)](PostgresqlConnector::Result opened) {
        auto const pool = weak_pool.lock();
        auto const waiting = weak_opening.lock();
        if (!pool || !waiting) return;
        if (opened)
          waiting->outcome =
              std::make_shared<PostgresqlSession>(pool->worker_, std::move(*opened), pool->connector_.source());
        else
          waiting->outcome = opened.error();
        waiting->done = true;
        waiting->timer.cancel();
      });
  if (!asked) co_return make_error_code(errc::unavailable);
  co_await base::wait_for_outcome(opening->timer, opening->done);
  co_return std::move(opening->outcome);
}

}  // namespace deployd::storage
