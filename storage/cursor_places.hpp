// How many long lists one worker reads at the same time, and who is next.
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

/// A bounded number of places, of which each token can hold at most half. A free place goes to the token that holds the
/// fewest, and among those to whoever waits longest. For the worker's thread; the places that are held keep it alive.
class CursorPlaces : public std::enable_shared_from_this<CursorPlaces> {
 public:
  /// The right to read one long list; given to whoever is next when it is destroyed.
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

  /// Waits for a place for `token`. Fails with `errc::overloaded`, at once when too many wait already, else at the
  /// deadline.
  boost::asio::awaitable<boost::system::result<Place>> take(std::uint64_t token, Deadline deadline);

 private:
  struct Waiting {
    Waiting(boost::asio::any_io_executor const& worker, std::uint64_t of) : timer(worker), token(of) {}

    boost::asio::steady_timer timer;
    std::uint64_t token;
    bool given = false;
  };

  /// What a token has here; those that have nothing are not kept.
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
  std::size_t const share_;  // places that one token can hold
  std::size_t free_;
  // So short a queue refuses some even when there is little to do: at full load one in `places_ + 1`, as every queue
  // with so much room. Half of that is the end.
  base::Overload overload_;
  std::vector<Share> shares_;  // with room for all that there can be
  Queue waiting_;              // while a place is free, only for tokens that hold their half
};

}  // namespace deployd::storage
