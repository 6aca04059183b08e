// The formats in which patterns and deployments are written.
#pragma once

namespace deployd::storage {

enum class ExportFormat { json, ndjson };

}  // namespace deployd::storage
