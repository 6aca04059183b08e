#include "server/log.hpp"

#include <fmt/chrono.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <memory>

#include "routing/text_encoding.hpp"
#include "storage/json_escape.hpp"

namespace deployd::server {
namespace {

/// `{"time":"2026-01-31T12:00:00.000Z","level":"info","message":"..."}`
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(spdlog::details::log_msg const& message, spdlog::memory_buf_t& out) override {
    auto const second = std::chrono::floor<std::chrono::seconds>(message.time);
    auto const milliseconds = std::chrono::floor<std::chrono::milliseconds>(message.time - second).count();
    auto const level = spdlog::level::to_string_view(message.level);
    auto line = fmt::format(R"({{"time":"{:%FT%T}.{:03}Z","level":"{}","message":")",
                            fmt::gmtime(std::chrono::system_clock::to_time_t(second)), milliseconds,
                            std::string_view(level.data(), level.size()));
    storage::append_json_escaped(line, routing::to_valid_utf8({message.payload.data(), message.payload.size()}));
    line += "\"}\n";
    out.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

void configure_log(Settings const& settings) {
  enum class Format { text, json };
  auto const format = settings.read("log-format", one_of<Format>({{"text", Format::text}, {"json", Format::json}}))
                          .value_or(Format::text);
  auto const level = settings
                         .read("log-level", one_of<spdlog::level::level_enum>({{"debug", spdlog::level::debug},
                                                                               {"info", spdlog::level::info},
                                                                               {"warn", spdlog::level::warn},
                                                                               {"error", spdlog::level::err}}))
                         .value_or(spdlog::level::info);
  auto logger = std::make_shared<spdlog::logger>("deployd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (format == Format::json) {
    logger->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
  logger->set_level(level);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace deployd::server
