// Limits how many long lists one worker reads at the same time, and decides which is next.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
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
  struct Waiting {
    Waiting(boost::asio::any_io_executor const& worker, std::uint64_t of) : timer(worker), token(of) {}

    boost::asio::steady_timer timer;
    std::uint64_t token;
    bool given = false;
  };

  /// The places and waiting lists of a token. Tokens without any are not stored.
  struct Share {
    std::uint64_t token;
    std::size_t held = 0;
    std::size_t waiting = 0;

    std::size_t all() const noexcept { return held + waiting; }
  };

  using Queue = std::deque<std::shared_ptr<Waiting>>;

  Share& share_of(std::uint64_t token) noexcept;
  void forget_if_empty(std::uint64_t token) noexcept;
  void hold(Share& share) noexcept;
  void leave(std::shared_ptr<Waiting> const& waiting) noexcept;
  void give_back(std::uint64_t token) noexcept;
  Queue::iterator next() noexcept;
  bool may_go(Share const& share) const noexcept { return free_ > 0 && share.held < share_; }
  std::size_t before(Share const& share) const noexcept;
  bool is_too_much(Share const& share) noexcept;

  boost::asio::any_io_executor worker_;
  std::size_t const places_;
  std::size_t const share_;  // the number of places that one token can hold
  std::size_t free_;
  // A queue this short refuses some lists even at moderate load: at full load one in `places_ + 1`, as in any queue of
  // that length. Overload ends at half of that.
  base::Overload overload_;
  std::vector<Share> shares_;  // capacity for the maximum number of tokens
  Queue waiting_;              // while a place is free, only for tokens that hold their half
};

}  // namespace deployd::storage
