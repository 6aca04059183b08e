// The responses that handlers return.
#pragma once

#include <spdlog/common.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "routing/form.hpp"
#include "routing/http_error.hpp"

namespace deployd::routing {

inline constexpr std::string_view json_type = "application/json; charset=utf-8";

/// The fields of requests, for Vary, by which the representations of a record or list are chosen, and those of other
/// resources.
inline constexpr std::string_view vary_by_form = "Accept, Accept-Encoding";
inline constexpr std::string_view vary_by_coding = "Accept-Encoding";

struct RenderedAnswer;

/// A 200 with a body of known length.
struct Representation {
  std::string body = {};
  std::string_view content_type = json_type;
  std::string link = {};         // relative reference of the next page; empty if there is none
  bool may_be_kept = false;      // it depends only on the data, the target and the wanted form
  std::string extra_lines = {};  // header lines, each ending in CRLF
  std::string_view vary = {};
  Coding coding = Coding::identity;  // in which `body` is
};

/// A list that is too long to be sent as a whole, without its rows.
struct StreamedList {
  std::string_view content_type = json_type;
  Coding coding = Coding::identity;
  std::string link = {};
};

/// A 500 or 503, and its reason for the log.
struct ServerFault {
  HttpError error;
  std::string why;
  spdlog::level::level_enum level = spdlog::level::warn;
};

/// A 200 that was rendered before and never changes. Not null.
using Prepared = std::shared_ptr<RenderedAnswer const>;

/// A 204 with the allowed methods.
struct AllowedMethods {};

/// A 200 that the handler has sent, except for the rest in the exchange's output.
struct Streamed {};

using Response = std::variant<Representation, HttpError, ServerFault, Prepared, AllowedMethods, Streamed>;

}  // namespace deployd::routing
