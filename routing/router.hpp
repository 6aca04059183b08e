// The routes of the API, and how paths are matched to them.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "routing/request.hpp"
#include "routing/response.hpp"
#include "routing/target.hpp"

namespace deployd::routing {

class Handlers;
struct Call;

enum class ParameterIn { path, query };
enum class ParameterType { integer, text };

/// A parameter of a route, for the documentation. query.cpp implements its meaning.
struct Parameter {
  std::string_view name;
  ParameterIn in;
  ParameterType type;
  std::string_view description;
};

/// The sockets on which a route is served: those of --listen, that of --admin-listen, or both. The page is served on
/// those of --listen unless --no-page is given.
enum class Surface : std::uint8_t { api = 1, admin = 2, both = 3, page = 4, api_and_page = 5 };

constexpr bool serves(Surface route, Surface asked) noexcept {
  return (static_cast<unsigned>(route) & static_cast<unsigned>(asked)) != 0;
}

/// One route of the API. Everything that documents the API is generated from these rows.
struct Route {
  std::string_view path_template;  // `{id}` stands for one segment
  std::string_view operation;      // its name in the API description; empty if it is not described
  std::string_view record;         // the type of the result; empty for the state of the server
  std::string_view summary;
  std::span<Parameter const> parameters;
  bool forgives_trailing_slash;
  Surface surface;
  boost::asio::awaitable<Response> (Handlers::*handler)(Call& call);
};

/// Returns all routes, in the order of the documentation.
std::span<Route const> routes() noexcept;

/// A path and its route.
struct Match {
  Route const* route = nullptr;
  std::string_view id;  // the decoded segment in the place of `{id}`; a view into the path

  RouteLabel label() const noexcept;
};

/// Finds the route of a path on `surface`; `route` is null if there is none. Compares whole decoded segments,
/// case-sensitively.
Match match(Path const& path, Surface surface = Surface::api) noexcept;

}  // namespace deployd::routing
