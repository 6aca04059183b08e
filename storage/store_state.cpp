#include "storage/store_state.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace deployd::storage {

// Lines are logged under the lock, so that they are in the order of the events.

void StoreState::lost(boost::system::error_code failure, std::string_view why, TimePoint now) noexcept {
  std::scoped_lock const lock(mutex_);
  if (std::exchange(there_, false)) next_repeat_ = now;
  log(failure, why, now);
}

void StoreState::found() noexcept {
  std::scoped_lock const lock(mutex_);
  if (std::exchange(there_, true)) return;
  next_repeat_ = {};
  spdlog::info("the store is available again");
}

void StoreState::failed(boost::system::error_code failure, std::string_view why, TimePoint now) noexcept {
  std::scoped_lock const lock(mutex_);
  log(failure, why, now);
}

void StoreState::log(boost::system::error_code failure, std::string_view why, TimePoint now) noexcept try {
  if (now < next_repeat_) return;
  next_repeat_ = now + between_repeats;
  spdlog::error("{}: {}", failure.message(), why);
} catch (std::exception const&) {
  // There is not enough memory for the line.
}

}  // namespace deployd::storage
