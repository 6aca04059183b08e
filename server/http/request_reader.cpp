#include "server/http/request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>
#include <limits>
#include <string>

#include "routing/accept.hpp"
#include "routing/authority.hpp"

namespace deployd::server {
namespace {

namespace http = boost::beast::http;
using boost::beast::iequals;
using routing::HttpError;
using routing::Method;
using routing::Request;
using routing::SingleField;
using ParserError = boost::beast::error_code;

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// Counts the bytes of the one or two empty lines that may precede the request line and are ignored (RFC 9112 §2.2).
std::size_t bytes_of_empty_lines(std::string_view bytes) noexcept {
  std::size_t count = 0;
  while (count < 4 && bytes.substr(count).starts_with("\r\n")) count += 2;
  return count;
}

Method method_of(std::string_view name) noexcept {
  if (name == "GET") return Method::get;
  if (name == "HEAD") return Method::head;
  return name == "OPTIONS" ? Method::options : Method::other;
}

HttpError refusal(unsigned status, std::string message) {
  return {status, std::move(message)};
}

bool is_decimal_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Stores views of the few fields that matter, and checks what Beast's parser does not.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(std::string_view bytes, Request& request) : bytes_(bytes), request_(request) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // the caller has its own limits
    skip(true);                                               // the caller handles bodies
  }

  std::optional<HttpError> const& error() const noexcept { return error_; }
  std::size_t header_at() const noexcept { return header_at_; }
  SingleField const& content_length_field() const noexcept { return content_length_; }
  SingleField const& host() const noexcept { return host_; }
  bool transfer_coding() const noexcept { return transfer_coding_; }
  bool expects_continue() const noexcept { return expects_continue_; }

  /// True if the connection persists (RFC 9112 §9.3). Beast's own check lets `keep-alive` override `close` in HTTP/1.0,
  /// and treats Proxy-Connection as Connection.
  bool stays() const noexcept { return !close_named_ && (request_.http_1_1 || keep_alive_named_); }

  routing::WantedForm wanted() const noexcept {
    routing::WantedForm wanted{{.format = formats_.best()}};
    codings_.choose(wanted);
    return wanted;
  }

 private:
  void on_request_impl(http::verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                       ParserError&) override {
    request_.method_name = view(method);
    request_.method = method_of(request_.method_name);
    request_.target = view(target);
    request_.http_1_1 = version == 11;
    header_at_ = static_cast<std::size_t>(target.data() + target.size() - bytes_.data()) + sizeof(" HTTP/1.1\r\n") - 1;
  }

  void on_field_impl(http::field field, boost::beast::string_view name, boost::beast::string_view value,
                     ParserError& failure) override {
    if (is_folded(name, value)) {
      refuse(400, "A header field is folded over several lines", failure);
      return;
    }
    switch (field) {
      case http::field::host: note(host_, value); break;
      case http::field::accept: formats_.read(view(value)); break;
      case http::field::accept_encoding: codings_.read(view(value)); break;
      case http::field::authorization: note(request_.authorization, value); break;
      case http::field::if_match: note(request_.if_match, value); break;
      case http::field::if_none_match: note(request_.if_none_match, value); break;
      case http::field::origin: note(request_.origin, value); break;
      case http::field::access_control_request_method: note(request_.access_control_request_method, value); break;
      case http::field::access_control_request_headers: note(request_.access_control_request_headers, value); break;
      case http::field::content_length:
        note(content_length_, value);
        if (!std::ranges::all_of(value, is_decimal_digit)) refuse(400, "Content-Length is not a number", failure);
        break;
      case http::field::transfer_encoding: transfer_coding_ = true; break;
      case http::field::connection: note_connection(value); break;
      case http::field::expect:
        if (iequals(value, "100-continue"))
          expects_continue_ = true;
        else
          refuse(417, "Only 100-continue may be expected", failure);
        break;
      default: break;
    }
  }

  /// True if the value begins on another line than its name, or is in the parser's own buffer.
  bool is_folded(boost::beast::string_view name, boost::beast::string_view value) const noexcept {
    if (value.data() < bytes_.data() || value.data() > bytes_.data() + bytes_.size()) return true;
    auto const* const colon = name.data() + name.size();
    return std::find(colon, value.data(), '\n') != value.data();
  }

  static void note(SingleField& field, boost::beast::string_view value) noexcept {
    field.value = view(value);
    ++field.count;
  }

  /// Beast has already refused values that are not a list of tokens.
  void note_connection(boost::beast::string_view value) {
    for (auto const option : http::token_list(value)) {
      close_named_ = close_named_ || iequals(option, "close");
      keep_alive_named_ = keep_alive_named_ || iequals(option, "keep-alive");
    }
  }

  void refuse(unsigned status, std::string message, ParserError& failure) {
    error_ = refusal(status, std::move(message));
    failure = http::error::bad_field;
  }

  void on_header_impl(ParserError&) override {}
  void on_finish_impl(ParserError&) override {}
  void on_response_impl(int, boost::beast::string_view, int, ParserError&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, ParserError&) override {}
  std::size_t on_body_impl(boost::beast::string_view body, ParserError&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, ParserError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, ParserError&) override {
    return body.size();
  }

  std::string_view bytes_;
  Request& request_;
  std::optional<HttpError> error_;
  std::size_t header_at_ = 0;  // where the field lines begin
  SingleField host_;
  routing::AcceptedFormats formats_;
  routing::AcceptedCodings codings_;
  SingleField content_length_;
  bool transfer_coding_ = false;
  bool expects_continue_ = false;
  bool close_named_ = false;
  bool keep_alive_named_ = false;
};

/// True if a request line that Beast refused ends in a well-formed HTTP version that is not supported.
bool names_other_version(std::string_view bytes) noexcept {
  auto const line = bytes.substr(0, bytes.find("\r\n"));
  auto const version = line.substr(std::min(line.rfind(' '), line.size() - 1) + 1);
  return version.size() == 8 && version.starts_with("HTTP/") && is_decimal_digit(version[5]) && version[6] == '.' &&
         is_decimal_digit(version[7]) && version != "HTTP/1.1" && version != "HTTP/1.0";
}

HttpError refusal_for(ParserError const& failure, std::string_view bytes, HeadParser const& parser) {
  if (failure == http::error::bad_version && names_other_version(bytes))
    return refusal(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
  if (failure == http::error::bad_method) return refusal(400, "The request method is not valid");
  if (failure == http::error::bad_target) return refusal(400, "The request target is not valid");
  if (failure == http::error::bad_version) return refusal(400, "The request line is not valid");
  bool const bad_length = failure == http::error::bad_content_length || failure == http::error::multiple_content_length;
  if (failure == http::error::bad_transfer_encoding || (bad_length && parser.transfer_coding()))
    return refusal(400, "Transfer-Encoding beside Content-Length, or given twice");
  if (bad_length) return refusal(400, "Content-Length is not one number");
  return refusal(400, "The request head is not valid");
}

constexpr std::size_t around_target = 64;  // a method, two spaces and the version

/// Returns the error of a limit that an incomplete head already exceeds.
std::optional<HttpError> over_limit(std::string_view bytes, HeadLimits const& limits) {
  auto const line_end = bytes.find("\r\n");
  if (line_end == std::string_view::npos) {
    if (bytes.size() > limits.target_bytes + around_target) return refusal(414, "The request target is too long");
  } else if (bytes.size() - line_end - 2 > limits.header_bytes + 2) {
    return refusal(431, "The request header is too large");
  }
  return std::nullopt;
}

ReadResult refused(HttpError error) {
  ReadResult result;
  result.state = ReadResult::State::refused;
  result.error = std::move(error);
  return result;
}

/// Checks the fields of a complete head together.
std::optional<HttpError> check_fields(HeadParser const& parser, Request const& request) {
  if (parser.transfer_coding()) {
    if (parser.content_length_field().present() || !request.http_1_1)
      return refusal(400, "Transfer-Encoding beside Content-Length, or in HTTP/1.0");
    return refusal(501, "Not implemented");
  }
  if (parser.content_length_field().count > 1) return refusal(400, "Content-Length is given more than once");
  auto const& host = parser.host();
  if (host.count > 1 || (host.count == 0 && request.http_1_1))
    return refusal(400, "A request has exactly one Host field");
  if (host.present() && !routing::is_host_and_port(host.value)) return refusal(400, "The Host field is not valid");
  return std::nullopt;
}

// Flattened: every request runs this, and what it calls has other callers too, which keeps the compiler from inlining
// it.
[[gnu::flatten]] ReadResult read_head(std::string_view bytes, HeadLimits const& limits, Request& request) {
  auto const empty_lines = bytes_of_empty_lines(bytes);
  bytes.remove_prefix(empty_lines);
  if (bytes.empty() || bytes == "\r") return {};

  request = Request();
  HeadParser parser(bytes, request);
  ParserError failure;
  auto const head_bytes = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), failure);
  if (failure == http::error::need_more) {
    if (auto error = over_limit(bytes, limits)) return refused(std::move(*error));
    return {};
  }
  if (parser.error()) return refused(*parser.error());
  if (request.target.size() > limits.target_bytes || parser.header_at() > limits.target_bytes + around_target + 2)
    return refused(refusal(414, "The request target is too long"));
  if (failure) return refused(refusal_for(failure, bytes, parser));
  if (head_bytes - parser.header_at() > limits.header_bytes + 2)
    return refused(refusal(431, "The request header is too large"));
  if (auto error = check_fields(parser, request)) return refused(std::move(*error));
  request.wanted = parser.wanted();
  request.field_lines = bytes.substr(parser.header_at(), head_bytes - parser.header_at());

  ReadResult result;
  result.state = ReadResult::State::complete;
  result.head_bytes = empty_lines + head_bytes;
  result.fields_at = empty_lines + parser.header_at();
  result.content_length = parser.content_length().value_or(0);
  if (result.content_length > limits.body_bytes) return refused(refusal(413, "The request body is too large"));
  result.close_without_body = parser.expects_continue() && result.content_length > 0;
  request.keep_alive = parser.stays() && !result.close_without_body;
  return result;
}

}  // namespace

Method method_begun(std::string_view bytes) noexcept {
  bytes.remove_prefix(bytes_of_empty_lines(bytes));
  auto const space = bytes.find(' ');
  return space == std::string_view::npos ? Method::other : method_of(bytes.substr(0, space));
}

ReadResult read_request_head(std::string_view bytes, HeadLimits const& limits, Request& request) {
  auto result = read_head(bytes, limits, request);
  if (result.state == ReadResult::State::refused) result.method = method_begun(bytes);
  return result;
}

}  // namespace deployd::server
