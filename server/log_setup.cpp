#include "server/log_setup.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "server/log/format.hpp"
#include "server/log/sink.hpp"

namespace deployd::server {
namespace {

LogFormat read_format(Settings const& settings) {
  return settings.read("log-format", one_of<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}}))
      .value_or(LogFormat::text);
}

spdlog::level::level_enum read_level(Settings const& settings) {
  return settings
      .read("log-level", one_of<spdlog::level::level_enum>({{"debug", spdlog::level::debug},
                                                            {"info", spdlog::level::info},
                                                            {"warn", spdlog::level::warn},
                                                            {"error", spdlog::level::err}}))
      .value_or(spdlog::level::info);
}

}  // namespace

void configure_log(Settings const& settings) {
  auto logger = std::make_shared<spdlog::logger>("deployd", std::make_shared<LogSink>(read_format(settings)));
  logger->set_level(read_level(settings));
  spdlog::set_default_logger(std::move(logger));
}

void reload_log_level(Settings const& settings) {
  // The logger is not replaced: other threads may be logging.
  spdlog::set_level(read_level(settings));
}

}  // namespace deployd::server
