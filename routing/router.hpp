// The routes of the API, and which of them a path belongs to.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "routing/response.hpp"
#include "routing/route_label.hpp"
#include "routing/target.hpp"

namespace deployd::routing {

class Handlers;
struct Call;

enum class ParameterIn { path, query };
enum class ParameterType { integer, text };

/// What a route takes, as documentation has it. The query's meaning is in query.cpp.
struct Parameter {
  std::string_view name;
  ParameterIn in;
  ParameterType type;
  std::string_view description;
};

/// Where a route is served: on the sockets of --listen, on that of --admin-listen, or on both. The page is on those of
/// --listen unless --no-page is given.
enum class Surface : std::uint8_t { api = 1, admin = 2, both = 3, page = 4, api_and_page = 5 };

constexpr bool serves(Surface route, Surface asked) noexcept {
  return (static_cast<unsigned>(route) & static_cast<unsigned>(asked)) != 0;
}

/// One row of the API. Everything that documents the API is derived from these rows.
struct Route {
  std::string_view path_template;  // `{id}` stands for one segment
  std::string_view operation;      // its name in the description of the API; empty: it is not described
  std::string_view record;         // the type of what is found; empty for the state of the server
  std::string_view summary;
  std::span<Parameter const> parameters;
  bool forgives_trailing_slash;
  Surface surface;
  boost::asio::awaitable<Response> (Handlers::*handler)(Call& call);
};

/// All routes, in the order of the documentation.
std::span<Route const> routes() noexcept;

/// A path that belongs to a route.
struct Match {
  Route const* route = nullptr;
  std::string_view id;  // the decoded segment that stood for `{id}`; views the path

  RouteLabel label() const noexcept;
};

/// Finds the route of a path on `surface`; `route` is null when there is none. Compares whole decoded segments, case
/// and all.
Match match(Path const& path, Surface surface = Surface::api) noexcept;

}  // namespace deployd::routing
