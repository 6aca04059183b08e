#include "storage/postgresql/tokens.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/wait_for_outcome.hpp"
#include "storage/error.hpp"

namespace deployd::storage {

using boost::asio::awaitable;
using boost::system::result;

namespace {

// So many are answered within a few hundredths of a second. More are refused.
constexpr std::size_t most_waiting = 16 * PostgresqlTokens::most_together;

}  // namespace

/// A look-up in progress.
struct PostgresqlTokens::Question : base::Awaited<result<std::optional<ApiToken>>> {
  Question(PostgresqlTokens const& tokens, Sha256 const& asked)
      : Awaited(tokens.worker_, std::chrono::steady_clock::now() + tokens.pool_->source().timeout,
                make_error_code(errc::timeout)),
        hash(asked) {}

  Sha256 hash;
};

awaitable<result<std::optional<ApiToken>>> PostgresqlTokens::look_up(Sha256 hash) {
  if (waiting_.size() >= most_waiting) co_return make_error_code(errc::overloaded);
  auto const question = std::make_shared<Question>(*this, hash);
  waiting_.push_back(question);
  if (!std::exchange(asking_, true))
    boost::asio::co_spawn(worker_, ask_all(shared_from_this()),
                          [self = shared_from_this()](std::exception_ptr failure) { self->end_batches(failure); });
  co_await question->wait();
  if (!question->done) std::erase(waiting_, question);
  co_return std::move(question->value);
}

awaitable<void> PostgresqlTokens::ask_all(std::shared_ptr<PostgresqlTokens> self) {
  while (!self->waiting_.empty()) {
    auto const questions = self->next_questions();
    std::vector<Sha256> hashes;
    for (auto const& question : questions) hashes.push_back(question->hash);
    PostgresqlParameters parameters;
    parameters.push_back(array_literal(hashes));
    auto const rows = co_await self->pool_->ask(self->pool_->source().queries.api_tokens(), std::move(parameters));
    for (auto const& question : questions) {
      if (rows)
        question->finish(find_api_token(**rows, question->hash));
      else
        question->finish(rows.error());
    }
  }
}

PostgresqlTokens::Questions PostgresqlTokens::next_questions() {
  auto const end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), most_together));
  Questions questions(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return questions;
}

/// Look-ups whose batch failed because memory ran out end when their timers expire.
void PostgresqlTokens::end_batches(std::exception_ptr failure) noexcept {
  asking_ = false;
  if (failure) waiting_.clear();
}

}  // namespace deployd::storage
