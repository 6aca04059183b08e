// Asking an Authenticator from a test, without an event loop of one's own.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "auth/authenticator.hpp"

namespace deployd::tests {

inline constexpr std::chrono::sys_seconds noon{std::chrono::seconds(1'800'000'000)};

/// The verdict on `credentials`, found without the memory of earlier ones: `good: SUBJECT`, or the refusal's name.
inline std::string verdict(auth::Authenticator& authenticator, std::string_view credentials,
                           std::chrono::system_clock::time_point now = noon) {
  boost::asio::io_context loop;
  auto waiting = authenticator.verify(credentials, now);
  auto future = boost::asio::co_spawn(loop, std::move(waiting), boost::asio::use_future);
  loop.run();
  auto const answer = future.get();
  if (auto const* const identity = std::get_if<auth::Identity const*>(&answer)) return "good: " + (*identity)->subject;
  return std::string(to_string(std::get<auth::Refused>(answer).why));
}

/// What is remembered of `credentials`: `good: SUBJECT`, or `nothing`.
inline std::string recalled(auth::Authenticator& authenticator, std::string_view credentials,
                            std::chrono::system_clock::time_point now = noon) {
  auto const* const identity = authenticator.recall(credentials, now);
  return identity != nullptr ? "good: " + identity->subject : "nothing";
}

}  // namespace deployd::tests
