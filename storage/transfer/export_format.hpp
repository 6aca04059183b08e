// The formats of exports.
#pragma once

namespace deployd::storage {

enum class ExportFormat { json, ndjson, csv };

/// The tables of an export.
enum class ExportTables { both, patterns, deployments };

}  // namespace deployd::storage
