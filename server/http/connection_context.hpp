// State shared by the connections of one worker.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "routing/api.hpp"
#include "routing/request_id.hpp"
#include "server/http/input_buffer.hpp"
#include "server/http/known_fields.hpp"
#include "server/http/reader_patience.hpp"
#include "server/http/request_reader.hpp"
#include "server/http/response_sender.hpp"
#include "server/http/worker_clock.hpp"
#include "server/http/worker_metrics.hpp"
#include "server/log/access_log.hpp"

namespace deployd::server {

/// What a connection needs besides its socket. Belongs to the thread of its worker and must outlive the connections.
struct ConnectionContext {
  routing::Api& api;
  HeadLimits head_limits;
  ReaderLimits reader_limits;
  std::chrono::milliseconds header_timeout;
  std::chrono::milliseconds idle_timeout;
  AccessLogBuffer access_log;
  InputBuffer::Buffers buffers;  // with the size of the largest head
  ResponseSender::Outputs outputs;
  std::vector<char> record_room{};  // for one TLS record; empty without TLS
  KnownFieldsTable known_fields{};
  routing::RequestIds request_ids{};
  WorkerClock clock{};
  WorkerMetrics metrics{};
};

}  // namespace deployd::server
