// Objects that connections borrow for a request and that are reused for later requests.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace deployd::server {

/// Lends objects of type `T` and keeps a limited number of returned ones. For one thread.
template <typename T>
class SpareParts {
 public:
  /// `size` is that of each array if `T` is an array type; their elements are not initialized.
  explicit SpareParts(std::size_t most, std::size_t size = 1) : size_(size) { spare_.reserve(most); }

  std::size_t size() const noexcept { return size_; }

  /// Throws std::bad_alloc.
  std::unique_ptr<T> borrow() {
    if (!spare_.empty()) {
      auto part = std::move(spare_.back());
      spare_.pop_back();
      return part;
    }
    if constexpr (std::is_array_v<T>)
      return std::make_unique_for_overwrite<T>(size_);
    else
      return std::make_unique<T>();
  }

  void give_back(std::unique_ptr<T> part) noexcept {
    // The capacity was reserved: nothing is allocated here.
    if (spare_.size() < spare_.capacity()) spare_.push_back(std::move(part));
  }

 private:
  std::vector<std::unique_ptr<T>> spare_;
  std::size_t size_;
};

}  // namespace deployd::server
