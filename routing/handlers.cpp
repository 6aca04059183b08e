#include "routing/handlers.hpp"

#include <limits>
#include <memory>
#include <utility>

#include "routing/accept.hpp"
#include "routing/list_rows.hpp"
#include "routing/log_fields.hpp"
#include "routing/rendered_answer.hpp"
#include "routing/stream_body.hpp"
#include "storage/error.hpp"

namespace deployd::routing {

using boost::asio::awaitable;

namespace {

// Lists up to this many rows are read at once on the worker's own session: about two milliseconds.
constexpr std::size_t short_list_rows = 2048;
constexpr std::size_t short_list_bytes = std::size_t{256} << 10;

// Longer lists are read in steps of this many rows. Other requests are served between two steps.
constexpr std::size_t rows_a_step = 256;

// A list whose body, before any coding, is longer than this is streamed: it has no ETag and is not cached.
constexpr std::size_t longest_whole_body = std::size_t{1} << 20;

// A stream is sent in pieces of about this many bytes, before any coding.
constexpr std::size_t piece_size = 64 * 1024;

ServerFault store_fault(boost::system::error_code failure, spdlog::level::level_enum level = spdlog::level::warn) {
  bool const overload = failure == storage::errc::overloaded || failure == storage::errc::timeout;
  return {unavailable(overload ? "The store is overloaded" : "The store is not available"), failure.message(), level};
}

/// Returns the id of a record, or the error for an id that no record can have or for a query.
boost::system::result<std::int64_t, HttpError> read_id(Call const& call) {
  if (!call.id_well_formed) return bad_request("Path parameter 'id' has a bad percent escape or is not UTF-8");
  auto const none = expect_no_parameters(call.query);
  if (!none) return none.error();
  auto const id = parse_plain_id(call.id);
  if (!id) return no_such_record(call.id);
  return *id;
}

}  // namespace

awaitable<Response> Handlers::find_deployments(Call& call) {
  return find(call, storage::Table::deployments);
}

awaitable<Response> Handlers::find_patterns(Call& call) {
  return find(call, storage::Table::patterns);
}

awaitable<Response> Handlers::find(Call& call, storage::Table table) {
  auto const filter = read_filter(call.query, table);
  if (!filter) co_return filter.error();

  auto const format = call.request.wanted.format;
  std::string body;
  ListRows rows(body, short_list_bytes, table, format);
  rows.begin();
  auto const listing = co_await store_.list(*filter, short_list_rows, rows);
  if (!listing) co_return store_fault(listing.error());
  if (!listing->pattern_known) co_return no_such_pattern(*filter->pattern);
  if (!listing->complete) {
    std::string().swap(body);  // frees the memory: the long list may wait for a long time
    // Requests for a few rows far down do not wait for clients that read long lists.
    if (filter->limit && *filter->limit <= short_list_rows) {
      auto page = co_await read_through_cursor(call, *filter, false);
      if (page) co_return std::move(*page);
    }
    auto list = co_await read_through_cursor(call, *filter, true);
    co_return std::move(*list);
  }
  rows.end();
  bool const has_next = listing->more && *filter->limit > 0;
  co_return Representation{.body = std::move(body),
                           .content_type = content_type(format),
                           .link = has_next ? next_page(*filter, rows.last_id()) : std::string(),
                           .may_be_kept = true,
                           .vary = vary_by_form};
}

awaitable<std::optional<Response>> Handlers::read_through_cursor(Call& call, storage::Filter const& filter,
                                                                 bool streamed) {
  storage::CursorUse const use{call.token, streamed};
  auto opened = co_await store_.open_cursor(filter, use);
  if (!opened) co_return store_fault(opened.error());
  auto cursor = std::move(*opened);
  if (!cursor->pattern_known()) co_return no_such_pattern(*filter.pattern);

  auto const format = call.request.wanted.format;
  StreamedList list{.content_type = content_type(format), .coding = call.request.wanted.coding};
  if (filter.limit && *filter.limit > 0) {
    auto const last_id = co_await cursor->last_id_before_more();
    if (!last_id) co_return store_fault(last_id.error());
    if (*last_id) list.link = next_page(filter, **last_id);
  }

  std::string body;
  ListRows rows(body, longest_whole_body, filter.table, format);
  rows.begin();
  while (body.size() <= longest_whole_body) {
    auto const more = co_await cursor->read(rows_a_step, rows);
    if (!more) co_return store_fault(more.error());
    if (*more) continue;
    cursor.reset();
    rows.end();
    co_return Representation{.body = std::move(body),
                             .content_type = list.content_type,
                             .link = std::move(list.link),
                             .may_be_kept = true,
                             .vary = vary_by_form};
  }
  if (!streamed) co_return std::nullopt;

  if (forbidden_by_if_match(call.request.if_match, {})) co_return precondition_failed();
  append_stream_head(call.exchange.output(), list, call.request, call.moment, cors_);
  if (!call.request.http_1_1) call.exchange.close_after();
  if (call.request.method != Method::head) co_await stream(call, *cursor, rows, body, list.coding);
  co_return Streamed{};
}

awaitable<void> Handlers::stream(Call& call, storage::Cursor& cursor, ListRows& rows, std::string& body,
                                 Coding coding) {
  StreamBody sent_body(call.exchange.output().bytes, coding, call.request.http_1_1);
  call.exchange.begin_stream();
  bool more = true;
  while (more) {
    if (body.size() >= piece_size) {
      sent_body.append(body);
      body.clear();
      call.exchange.set_expansion(sent_body.expansion());
      bool const sent = co_await call.exchange.flush();
      if (!sent) co_return;
    }
    auto const step = co_await cursor.read(rows_a_step, rows);
    if (!step) {
      log_about(call.request, call.exchange, spdlog::level::warn, "a list was cut off: " + step.error().message());
      co_return call.exchange.abort();
    }
    more = *step;
  }
  rows.end();
  sent_body.end(body);
}

awaitable<Response> Handlers::get_deployment(Call& call) {
  auto const id = read_id(call);
  if (!id) co_return id.error();
  std::string body;
  ListRows rows(body, short_list_bytes, storage::Table::deployments);
  auto const found = co_await store_.deployment(*id, rows);
  if (!found) co_return store_fault(found.error());
  if (!*found) co_return no_such_record(call.id);
  co_return Representation{.body = std::move(body), .may_be_kept = true, .vary = vary_by_form};
}

awaitable<Response> Handlers::get_pattern(Call& call) {
  auto const id = read_id(call);
  if (!id) co_return id.error();
  // The first pattern whose id is not less.
  storage::Filter filter{.table = storage::Table::patterns, .limit = 1};
  if (*id != std::numeric_limits<std::int64_t>::min()) filter.id_greater_than = *id - 1;
  std::string body;
  ListRows rows(body, short_list_bytes, storage::Table::patterns);
  auto const listing = co_await store_.list(filter, 1, rows);
  if (!listing) co_return store_fault(listing.error());
  if (!listing->complete) co_return store_fault(storage::errc::unavailable);
  if (body.empty() || rows.last_id() != *id) co_return no_such_record(call.id);
  co_return Representation{.body = std::move(body), .may_be_kept = true, .vary = vary_by_form};
}

awaitable<Response> Handlers::describe_api(Call& call) {
  co_return description_.in(call.request.wanted.coding);
}

awaitable<Response> Handlers::report_health(Call&) {
  co_return Representation{.body = R"({"status":"ok"})"};
}

awaitable<Response> Handlers::report_readiness(Call&) {
  // Load balancers request this continuously, so it is logged at level debug only.
  constexpr auto level = spdlog::level::debug;
  ServerFault const stopping{unavailable("The server is stopping"), "the server is stopping", level};
  if (draining_) co_return stopping;
  auto const answered = co_await probe_.ask();
  if (draining_) co_return stopping;
  if (!answered) co_return store_fault(answered.error(), level);
  co_return Representation{.body = R"({"status":"ready"})"};
}

awaitable<Response> Handlers::report_metrics(Call& call) {
  auto const accept = find_field(call.request, "Accept");
  auto const format = choose_metrics_format(accept.single() ? accept.value : std::string_view());
  co_return Representation{.body = metrics_->render(format), .content_type = content_type(format), .vary = "Accept"};
}

awaitable<Response> Handlers::send_page(Call& call) {
  co_return page_.page.in(call.request.wanted.coding);
}

awaitable<Response> Handlers::send_icon(Call&) {
  co_return page_.icon;
}

awaitable<Response> Handlers::send_robots(Call&) {
  co_return page_.robots;
}

}  // namespace deployd::routing
