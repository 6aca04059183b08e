// Counting what a program that links this takes from the heap, whichever library takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace deployd::tests {

/// What this thread takes from the heap is never counted.
void leave_out_this_thread() noexcept;

/// Counts allocations from the heap (malloc and its kin, which operator new, OpenSSL and SQLite end in as well) on all
/// threads but the one that made this and those left out. At most one at a time.
class AllocationCount {
 public:
  AllocationCount();
  /// Also lets `failures` of them fail, from the one with the number `first` (from 0) on.
  AllocationCount(std::uint64_t first, std::uint64_t failures);
  ~AllocationCount();
  AllocationCount(AllocationCount const&) = delete;
  AllocationCount& operator=(AllocationCount const&) = delete;

  std::uint64_t allocations() const noexcept;

  /// Where the first of them was, or the first that failed: a function a line as `c++filt` takes it; empty when there
  /// was none.
  std::string first_stack() const;
};

}  // namespace deployd::tests
