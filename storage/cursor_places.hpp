// Limits how many long lists one worker reads at the same time, and decides which is next.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/overload.hpp"

namespace deployd::storage {

/// A limited number of places, of which each token can hold at most half. A free place goes to the token that holds the
/// fewest, and within that to the list that has waited longest. Must be used on the worker's thread. Held places keep
/// this object alive.
class CursorPlaces : public std::enable_shared_from_this<CursorPlaces> {
 public:
  /// The right to read one long list. Its destruction passes the place to the next list.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_) places_->give_back(token_);
    }

   private:
    friend class CursorPlaces;
    Place(std::shared_ptr<CursorPlaces> places, std::uint64_t token) noexcept
        : places_(std::move(places)), token_(token) {}

    std::shared_ptr<CursorPlaces> places_;
    std::uint64_t token_;
  };

  using Deadline = std::chrono::steady_clock::time_point;

  CursorPlaces(boost::asio::any_io_executor worker, std::size_t places);

  /// Waits for a place for `token`. Fails with `errc::overloaded`, at once if too many are waiting, otherwise at the
  /// deadline.
  boost::asio::awaitable<boost::system::result<Place>> take(std::uint64_t token, Deadline deadline);

 private:
  struct Waiting;
  using Queue = std::deque<std::shared_ptr<Waiting>>;

  std::size_t held_by(std::uint64_t token) const noexcept;
  std::size_t awaited_by(std::uint64_t token) const noexcept;
  bool may_go(std::uint64_t token) const noexcept { return held_.size() < places_ && held_by(token) < share_; }
  std::size_t before(std::uint64_t token) const;
  bool is_too_much(std::uint64_t token);
  Queue::iterator next() noexcept;
  void give_back(std::uint64_t token) noexcept;

  boost::asio::any_io_executor worker_;
  std::size_t const places_;
  std::size_t const share_;  // the number of places that one token can hold
  // A queue this short refuses some lists even at moderate load: at full load one in `places_ + 1`, as in any queue of
  // that length. Overload ends at half of that.
  base::Overload overload_;
  std::vector<std::uint64_t> held_;  // the token of each place that is not free; has room for all
  Queue waiting_;                    // while a place is free, only for tokens that hold their half
};

}  // namespace deployd::storage
