// Finds variables of the environment that look like options of deployd but are not.
#pragma once

#include <string>
#include <vector>

namespace deployd::server {

/// Returns a line for each variable DEPLOYD_... that is not empty and that no command reads, with the most similar name
/// if there is one. Skips those that Kubernetes sets for a service whose name begins with `deployd`. Shows no values.
std::vector<std::string> stray_variables();

}  // namespace deployd::server
