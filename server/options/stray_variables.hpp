// Variables of the environment that look like options of deployd and are none.
#pragma once

#include <string>
#include <vector>

namespace deployd::server {

/// A line for each variable DEPLOYD_... that is not empty and that no command reads, with the nearest name where there
/// is one. Not for those that Kubernetes sets for a service whose name begins with `deployd`. Shows no value.
std::vector<std::string> stray_variables();

}  // namespace deployd::server
