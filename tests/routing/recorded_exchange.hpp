// A connection that keeps what is sent on it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "routing/api.hpp"
#include "routing/output.hpp"
#include "routing/request_id.hpp"
#include "tests/routing/answers.hpp"

namespace deployd::routing {

class RecordedExchange final : public Exchange {
 public:
  std::optional<int> flushes_left;  // after so many the client is gone; unset: it stays

  Output& output() noexcept override { return output_; }

  boost::asio::awaitable<bool> flush() override {
    if (flushes_left && (*flushes_left)-- == 0) co_return false;
    sent_ += bytes_of(output_);
    output_.clear();
    ++flushes_;
    co_return true;
  }

  void begin_stream() noexcept override { streaming_ = true; }
  void set_expansion(double factor) noexcept override { expansion_ = factor; }
  bool streaming() const noexcept override { return streaming_; }
  void close_after() noexcept override { closing_ = true; }
  void abort() noexcept override { aborted_ = true; }
  std::string_view request_id(Request const& request) override {
    auto const of_client = client_request_id(request);
    return of_client.empty() ? "made-1" : of_client;
  }

  std::string bytes() const { return sent_ + bytes_of(output_); }
  int flushes() const noexcept { return flushes_; }
  bool closing() const noexcept { return closing_; }
  bool aborted() const noexcept { return aborted_; }
  double expansion() const noexcept { return expansion_; }
  /// What `Api::answer` returned.
  Answered answered;

 private:
  Output output_;
  std::string sent_;
  int flushes_ = 0;
  bool streaming_ = false;
  bool closing_ = false;
  bool aborted_ = false;
  double expansion_ = 1;
};

}  // namespace deployd::routing
