#include "routing/handlers.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "routing/json_rows.hpp"
#include "routing/metrics_format.hpp"
#include "routing/rendered_answer.hpp"
#include "routing/server_fault.hpp"
#include "storage/error.hpp"

namespace deployd::routing {

using boost::asio::awaitable;

namespace {

// Lists up to this many rows are read at once on the worker's own session: about two milliseconds.
constexpr std::size_t short_list_rows = 2048;
constexpr std::size_t short_list_bytes = std::size_t{256} << 10;

// Longer ones are read in steps of this many rows, and other requests are served between two of them.
constexpr std::size_t rows_a_step = 256;

// A list whose JSON is longer than this is streamed: it has no ETag and is not kept.
constexpr std::size_t longest_whole_body = std::size_t{1} << 20;

// A stream is sent in pieces of about this many bytes.
constexpr std::size_t piece_size = 64 * 1024;

/// Appends `piece` as a chunk (RFC 9112 §7.1), or as it is for HTTP/1.0.
void append_piece(std::string& out, std::string_view piece, bool chunked) {
  if (!chunked) {
    out += piece;
    return;
  }
  std::array<char, 16> size;
  auto const end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
  out.append(size.data(), end);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

ServerFault store_fault(boost::system::error_code failure, spdlog::level::level_enum level) {
  bool const overload = failure == storage::errc::overloaded || failure == storage::errc::timeout;
  return {unavailable(overload ? "The store is overloaded" : "The store is not available"), failure.message(), level};
}

}  // namespace

awaitable<void> Handlers::find_deployments(Call& call) {
  auto const filter = read_filter(call.query);
  if (!filter) co_return refuse(call, bad_request(filter.error().message));

  auto const data_version = store_.data_version();
  std::string body = "[";
  JsonRows rows(body, short_list_bytes);
  auto const listing = co_await store_.list(*filter, short_list_rows, rows);
  if (!listing) co_return refuse(call, listing.error());
  if (!listing->pattern_known) co_return refuse(call, no_such_pattern(*filter->pattern));
  if (!listing->complete) {
    std::string().swap(body);  // the long list may have to wait for a long time
    // A few rows that were hard to find do not wait behind those who read long lists.
    if (filter->limit && *filter->limit <= short_list_rows) {
      bool const answered = co_await answer_through_cursor(call, *filter, false, data_version);
      if (answered) co_return;
    }
    co_await answer_through_cursor(call, *filter, true, data_version);
    co_return;
  }
  body += ']';
  bool const has_next = listing->more && *filter->limit > 0;
  answer(call, body, has_next ? next_page(*filter, rows.last_id()) : std::string(), data_version);
}

awaitable<bool> Handlers::answer_through_cursor(Call& call, storage::Filter const& filter, bool streamed,
                                                std::optional<std::uint64_t> data_version) {
  auto const refused = [&](boost::system::error_code failure) {
    refuse(call, failure);
    return true;
  };
  storage::CursorUse const use{call.token, streamed};
  auto opened = co_await store_.open_cursor(filter, use);
  if (!opened) co_return refused(opened.error());
  auto cursor = std::move(*opened);
  if (!cursor->pattern_known()) {
    refuse(call, no_such_pattern(*filter.pattern));
    co_return true;
  }

  std::string link;
  if (filter.limit && *filter.limit > 0) {
    auto const last_id = co_await cursor->last_id_before_more();
    if (!last_id) co_return refused(last_id.error());
    if (*last_id) link = next_page(filter, **last_id);
  }

  std::string body = "[";
  JsonRows rows(body, longest_whole_body);
  while (body.size() <= longest_whole_body) {
    auto const more = co_await cursor->read(rows_a_step, rows);
    if (!more) co_return refused(more.error());
    if (*more) continue;
    cursor.reset();
    body += ']';
    answer(call, body, link, data_version);
    co_return true;
  }
  if (!streamed) co_return false;

  append_stream_head(call.exchange.output(), link, call.request, call.moment, cors_);
  call.exchange.note(200, {});
  if (!call.request.http_1_1) call.exchange.close_after();
  if (call.request.method != Method::head) co_await stream(call, *cursor, rows, body);
  co_return true;
}

awaitable<void> Handlers::stream(Call& call, storage::Cursor& cursor, JsonRows& rows, std::string& body) {
  bool const chunked = call.request.http_1_1;
  auto& out = call.exchange.output();
  call.exchange.begin_stream();
  bool more = true;
  while (more) {
    if (body.size() >= piece_size) {
      append_piece(out.bytes, body, chunked);
      body.clear();
      bool const sent = co_await call.exchange.flush();
      if (!sent) co_return;
    }
    auto const step = co_await cursor.read(rows_a_step, rows);
    if (!step) {
      log_about(call.request, call.exchange, spdlog::level::warn,
                "a list is cut in the middle: " + step.error().message());
      co_return call.exchange.abort();
    }
    more = *step;
  }
  body += ']';
  append_piece(out.bytes, body, chunked);
  if (chunked) out.bytes += "0\r\n\r\n";
}

awaitable<void> Handlers::get_deployment(Call& call) {
  if (!call.id_well_formed) {
    refuse(call, bad_request("Path parameter 'id' has a bad percent escape or is not UTF-8"));
    co_return;
  }
  auto const none = expect_no_parameters(call.query);
  if (!none) co_return refuse(call, bad_request(none.error().message));

  auto const id = parse_plain_id(call.id);
  if (!id) co_return refuse(call, no_such_record(call.id));
  auto const data_version = store_.data_version();
  std::string body;
  JsonRows rows(body, short_list_bytes);
  auto const found = co_await store_.deployment(*id, rows);
  if (!found) co_return refuse(call, found.error());
  if (!*found) co_return refuse(call, no_such_record(call.id));
  answer(call, body, {}, data_version);
}

awaitable<void> Handlers::report_health(Call& call) {
  answer(call, R"({"status":"ok"})", {}, std::nullopt);
  co_return;
}

awaitable<void> Handlers::report_readiness(Call& call) {
  // Whoever asks wants to know, and asks again and again: no news for the log.
  constexpr auto level = spdlog::level::debug;
  ServerFault const stopping{unavailable("The server is stopping"), "the server is stopping", level};
  if (draining_) co_return fail(call, stopping);
  auto const answered = co_await probe_.ask();
  if (draining_) co_return fail(call, stopping);
  if (!answered) co_return fail(call, store_fault(answered.error(), level));
  answer(call, R"({"status":"ready"})", {}, std::nullopt);
}

awaitable<void> Handlers::report_metrics(Call& call) {
  auto const accept = find_field(call.request, "Accept");
  auto const format = choose_metrics_format(accept.single() ? accept.value : std::string_view());
  answer(call, metrics_->render(format), {}, std::nullopt, content_type(format));
  co_return;
}

void Handlers::answer(Call& call, std::string_view body, std::string_view link,
                      std::optional<std::uint64_t> data_version, std::string_view content_type) {
  auto rendered = render_answer(body, link, cors_, content_type);
  rendered.route = call.route;
  auto const answer = std::make_shared<RenderedAnswer const>(std::move(rendered));
  auto const status = append_answer(call.exchange.output(), answer, call.request, call.moment, cors_);
  call.exchange.note(status, {});
  if (data_version && cache_.enabled()) cache_.keep(call.request.target, *data_version, answer);
}

void Handlers::refuse(Call& call, HttpError const& error) {
  append_error(call.exchange.output(), error, call.request, call.moment, cors_);
  call.exchange.note(error.status, {});
}

void Handlers::refuse(Call& call, boost::system::error_code store_failure) {
  fail(call, store_fault(store_failure, spdlog::level::warn));
}

void Handlers::fail(Call& call, ServerFault const& fault) {
  answer_fault(fault, call.request, call.moment, call.exchange, cors_);
}

}  // namespace deployd::routing
