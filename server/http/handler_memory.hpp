// Memory for asynchronous waits, so that waiting cannot fail because memory runs out.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace deployd::server {

/// Memory for the state of one asynchronous operation at a time. An operation that fails to start because memory ran
/// out would destroy its coroutine.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(HandlerMemory const&) = delete;
  HandlerMemory& operator=(HandlerMemory const&) = delete;

  void* allocate(std::size_t bytes) {
    if (taken_ || bytes > room_.size()) return ::operator new(bytes);
    taken_ = true;
    return room_.data();
  }

  void deallocate(void* pointer) noexcept {
    if (pointer == room_.data())
      taken_ = false;
    else
      ::operator delete(pointer);
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, 256> room_;
  bool taken_ = false;
};

/// An allocator that uses this memory, to be bound to a completion token. The memory must outlive it.
template <typename T>
class HandlerAllocator {
 public:
  using value_type = T;

  explicit HandlerAllocator(HandlerMemory& memory) noexcept : memory_(&memory) {}
  template <typename U>
  HandlerAllocator(HandlerAllocator<U> const& other) noexcept : memory_(&other.memory()) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
  void deallocate(T* pointer, std::size_t) noexcept { memory_->deallocate(pointer); }

  HandlerMemory& memory() const noexcept { return *memory_; }

  template <typename U>
  bool operator==(HandlerAllocator<U> const& other) const noexcept {
    return memory_ == &other.memory();
  }

 private:
  HandlerMemory* memory_;
};

}  // namespace deployd::server
