#include "routing/router.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "routing/handlers.hpp"

namespace deployd::routing {
namespace {

constexpr std::array list_parameters{
    Parameter{"pattern", ParameterIn::query, ParameterType::text, "Filter by pattern name."},
    Parameter{"pattern_id", ParameterIn::query, ParameterType::integer, "Filter by pattern ID."},
    Parameter{"name", ParameterIn::query, ParameterType::text, "Filter by deployment name."},
    Parameter{"$limit", ParameterIn::query, ParameterType::integer, "The most deployments to return."},
    Parameter{"$skip", ParameterIn::query, ParameterType::integer, "How many deployments to pass over first."},
    Parameter{"id[$gt]", ParameterIn::query, ParameterType::integer, "Only deployments with a greater ID."},
};

constexpr std::array record_parameters{
    Parameter{"id", ParameterIn::path, ParameterType::integer, "The deployment ID."},
};

constexpr std::array pattern_list_parameters{
    Parameter{"name", ParameterIn::query, ParameterType::text, "Filter by pattern name."},
    Parameter{"$limit", ParameterIn::query, ParameterType::integer, "The most patterns to return."},
    Parameter{"$skip", ParameterIn::query, ParameterType::integer, "How many patterns to pass over first."},
    Parameter{"id[$gt]", ParameterIn::query, ParameterType::integer, "Only patterns with a greater ID."},
};

constexpr std::array pattern_parameters{
    Parameter{"id", ParameterIn::path, ParameterType::integer, "The pattern ID."},
};

constexpr std::array all_routes{
    Route{"/api/v1/deployments", "findDeployments", "Deployment", "Find deployments", list_parameters, true,
          Surface::api, &Handlers::find_deployments},
    Route{"/api/v1/deployments/{id}", "getDeployment", "Deployment", "Get one deployment", record_parameters, true,
          Surface::api, &Handlers::get_deployment},
    Route{"/api/v1/patterns", "findPatterns", "Pattern", "Find patterns", pattern_list_parameters, true, Surface::api,
          &Handlers::find_patterns},
    Route{"/api/v1/patterns/{id}", "getPattern", "Pattern", "Get one pattern", pattern_parameters, true, Surface::api,
          &Handlers::get_pattern},
    Route{"/healthz", "getHealth", "", "Does the process serve?", {}, false, Surface::both, &Handlers::report_health},
    Route{"/readyz",
          "getReadiness",
          "",
          "Can requests be answered?",
          {},
          false,
          Surface::both,
          &Handlers::report_readiness},
    Route{"/openapi.json", "", "", "This description", {}, false, Surface::api, &Handlers::describe_api},
    Route{"/metrics", "", "", "Metrics of the process", {}, false, Surface::admin, &Handlers::report_metrics},
    Route{"/", "", "", "The page for people", {}, false, Surface::page, &Handlers::send_page},
    Route{"/favicon.ico", "", "", "The icon of the page", {}, false, Surface::page, &Handlers::send_icon},
    Route{"/robots.txt", "", "", "What crawlers may read: nothing", {}, false, Surface::page, &Handlers::send_robots},
};
static_assert(all_routes.size() == route_count);
static_assert(std::ranges::all_of(all_routes, [](Route const& route) {
  return std::ranges::count(route.path_template, '/') < static_cast<std::ptrdiff_t>(Path::most_segments);
}));

/// Removes the next segment from a template that begins with a slash, and returns it.
std::string_view take_segment(std::string_view& path_template) noexcept {
  path_template.remove_prefix(1);
  auto const segment = path_template.substr(0, path_template.find('/'));
  path_template.remove_prefix(segment.size());
  return segment;
}

Match match_one(Route const& route, Path const& path) noexcept {
  if (path.trailing_slash && !route.forgives_trailing_slash) return {};
  Match match{&route, {}};
  auto rest = route.path_template == "/" ? std::string_view() : route.path_template;
  for (auto const& segment : path.segments) {
    if (rest.empty()) return {};
    auto const expected = take_segment(rest);
    if (expected == "{id}") {
      if (segment.empty()) return {};
      match.id = segment;
    } else if (segment != expected) {
      return {};
    }
  }
  return rest.empty() ? match : Match{};
}

}  // namespace

std::span<Route const> routes() noexcept {
  return all_routes;
}

std::string_view to_string(RouteLabel label) noexcept {
  return label < all_routes.size() ? all_routes[label].path_template : "other";
}

RouteLabel Match::label() const noexcept {
  return route == nullptr ? no_route : static_cast<RouteLabel>(route - all_routes.data());
}

Match match(Path const& path, Surface surface) noexcept {
  for (auto const& route : all_routes) {
    if (!serves(route.surface, surface)) continue;
    if (auto const found = match_one(route, path); found.route != nullptr) return found;
  }
  return {};
}

}  // namespace deployd::routing
