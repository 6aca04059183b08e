#include "tests/allocations/allocation_count.hpp"

#include <execinfo.h>
#include <malloc.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> count{0};
std::array<void*, 48> first_frames;
std::atomic<int> first_depth{0};

// Those that fail: [first_failing, end_of_failing) of those counted.
std::atomic<std::uint64_t> first_failing{~std::uint64_t{0}};
std::atomic<std::uint64_t> end_of_failing{0};

// Of the thread that counts, of those left out, and while a stack is being walked.
thread_local bool not_counted = false;

/// Counts an allocation. False when it is to fail.
bool allows_allocation() noexcept {
  if (!counting.load(std::memory_order_relaxed) || not_counted) return true;
  auto const number = count.fetch_add(1);
  bool const fails = number >= first_failing && number < end_of_failing;
  if (fails || (number == 0 && end_of_failing == 0)) {
    not_counted = true;
    if (first_depth == 0) first_depth = ::backtrace(first_frames.data(), static_cast<int>(first_frames.size()));
    not_counted = false;
  }
  if (fails) errno = ENOMEM;
  return !fails;
}

}  // namespace

// The program's own definitions are found before those of the C library, by the libraries too.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t members, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
  return allows_allocation() ? __libc_malloc(size) : nullptr;
}

void* calloc(std::size_t members, std::size_t size) noexcept {
  return allows_allocation() ? __libc_calloc(members, size) : nullptr;
}

void* realloc(void* old, std::size_t size) noexcept {
  return allows_allocation() ? __libc_realloc(old, size) : nullptr;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return allows_allocation() ? __libc_memalign(alignment, size) : nullptr;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  *result = memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}
}

namespace deployd::tests {

void leave_out_this_thread() noexcept {
  not_counted = true;
}

AllocationCount::AllocationCount() : AllocationCount(~std::uint64_t{0}, 0) {}

AllocationCount::AllocationCount(std::uint64_t first, std::uint64_t failures) {
  first_failing = first;
  end_of_failing = failures == 0 ? 0 : first + failures;
  // The first walk over a stack loads a library.
  ::backtrace(first_frames.data(), 1);
  not_counted = true;
  first_depth = 0;
  count = 0;
  counting = true;
}

AllocationCount::~AllocationCount() {
  counting = false;
  not_counted = false;
}

std::uint64_t AllocationCount::allocations() const noexcept {
  return count;
}

std::string AllocationCount::first_stack() const {
  std::string stack;
  int const depth = first_depth;
  char** const names = depth == 0 ? nullptr : ::backtrace_symbols(first_frames.data(), depth);
  for (int frame = 0; frame < depth; ++frame) stack += std::string(names[frame]) + '\n';
  std::free(names);
  return stack;
}

}  // namespace deployd::tests
