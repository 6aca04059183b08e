// The primary of a replicated PostgreSQL is lost under load, and its standby promoted.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tests/failover/checked_readers.hpp"

namespace deployd::tests {

enum class Loss {
  crash,   // its processes end, and its port refuses
  freeze,  // its processes stand still: connections stay, answers do not come
};

struct LostPrimaryReport {
  ReadTally before;                              // the loss
  ReadTally between;                             // the loss and the end of the promotion
  ReadTally after;                               // the promotion
  std::chrono::milliseconds without_answers{0};  // from the last one before the loss, or later, to the next
  std::chrono::milliseconds back{0};             // from the end of the promotion to the answer to a later request

  bool flawless() const noexcept { return before.flawless() && between.flawless() && after.flawless(); }
};

/// Loses the primary while clients read and a program writes, waits for a second, and promotes the standby. The URL has
/// `target_session_attrs=attributes`, if there are any. Throws when there is no answer ten seconds later.
LostPrimaryReport lose_primary(std::string_view attributes, Loss loss);

}  // namespace deployd::tests
