#include "server/log/journal.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace deployd::server {
namespace {

/// True if stderr is the stream of JOURNAL_STREAM. It is not if it was redirected.
bool goes_to_journal() noexcept {
  auto const* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  std::array<char, 48> own{};
  std::snprintf(own.data(), own.size(), "%llu:%llu", static_cast<unsigned long long>(status.st_dev),
                static_cast<unsigned long long>(status.st_ino));
  return std::string_view(stream) == own.data();
}

}  // namespace

std::string_view journal_prefix(spdlog::level::level_enum level) noexcept {
  static bool const journal = goes_to_journal();
  if (!journal) return "";
  switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err: return "<3>";
    case spdlog::level::warn: return "<4>";
    case spdlog::level::info: return "<6>";
    default: return "<7>";
  }
}

}  // namespace deployd::server
