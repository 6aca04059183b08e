#include "storage/store_state.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace deployd::storage {

// Lines are logged under the lock, so that they stand in the order of what they tell.

void StoreState::lost(boost::system::error_code failure, std::string const& why, TimePoint now) {
  std::scoped_lock const lock(mutex_);
  bool const was_there = std::exchange(there_, false);
  if (!was_there && now < next_repeat_) return;
  next_repeat_ = now + between_repeats;
  spdlog::error("{}: {}", failure.message(), why);
}

void StoreState::found() {
  std::scoped_lock const lock(mutex_);
  if (std::exchange(there_, true)) return;
  next_repeat_ = {};
  spdlog::info("the store is back");
}

void StoreState::failed(boost::system::error_code failure, std::string const& why, TimePoint now) {
  std::scoped_lock const lock(mutex_);
  if (now < next_repeat_) return;
  next_repeat_ = now + between_repeats;
  spdlog::error("{}: {}", failure.message(), why);
}

}  // namespace deployd::storage
