// Objects that connections borrow for a request and that are reused for later requests.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace deployd::server {

/// Lends objects of type `T` and keeps a limited number of returned ones. For one thread.
template <typename T>
class SpareParts {
 public:
  explicit SpareParts(std::size_t most) { spare_.reserve(most); }

  /// Throws std::bad_alloc.
  std::unique_ptr<T> borrow() {
    if (spare_.empty()) return std::make_unique<T>();
    return take();
  }

  void give_back(std::unique_ptr<T> part) noexcept {
    // The capacity was reserved: nothing is allocated here.
    if (spare_.size() < spare_.capacity()) spare_.push_back(std::move(part));
  }

 private:
  std::unique_ptr<T> take() noexcept {
    auto part = std::move(spare_.back());
    spare_.pop_back();
    return part;
  }

  std::vector<std::unique_ptr<T>> spare_;
};

/// Lends uninitialized arrays of one size.
template <typename T>
class SpareParts<T[]> {
 public:
  SpareParts(std::size_t most, std::size_t size) : size_(size) { spare_.reserve(most); }

  std::size_t size() const noexcept { return size_; }

  /// Throws std::bad_alloc.
  std::unique_ptr<T[]> borrow() {
    if (spare_.empty()) return std::make_unique_for_overwrite<T[]>(size_);
    auto part = std::move(spare_.back());
    spare_.pop_back();
    return part;
  }

  void give_back(std::unique_ptr<T[]> part) noexcept {
    if (spare_.size() < spare_.capacity()) spare_.push_back(std::move(part));
  }

 private:
  std::vector<std::unique_ptr<T[]>> spare_;
  std::size_t size_;
};

}  // namespace deployd::server
