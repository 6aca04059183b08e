// How many long lists one worker reads at the same time, and who is next.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "storage/overload.hpp"

namespace deployd::storage {

/// A bounded number of places, given in the order in which they were asked for. For the worker's thread; the places
/// that are held keep it alive.
class CursorPlaces : public std::enable_shared_from_this<CursorPlaces> {
 public:
  /// The right to read one long list; given to whoever waits longest when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_) places_->pass_on();
    }

   private:
    friend class CursorPlaces;
    explicit Place(std::shared_ptr<CursorPlaces> places) noexcept : places_(std::move(places)) {}

    std::shared_ptr<CursorPlaces> places_;
  };

  using Deadline = std::chrono::steady_clock::time_point;

  CursorPlaces(boost::asio::any_io_executor worker, std::size_t places)
      : worker_(std::move(worker)), places_(places), free_(places), overload_(2 * (places + 1)) {}

  /// Waits for a place. Fails with `errc::overloaded`, at once when too many wait already, else at the deadline.
  boost::asio::awaitable<boost::system::result<Place>> take(Deadline deadline);

 private:
  struct Waiting {
    explicit Waiting(boost::asio::any_io_executor const& worker) : timer(worker) {}

    boost::asio::steady_timer timer;
    bool given = false;
  };

  void pass_on() noexcept;

  bool is_too_much() noexcept;

  boost::asio::any_io_executor worker_;
  std::size_t const places_;
  std::size_t free_;
  // So short a queue refuses some even when there is little to do: at full load one in `places_ + 1`, as every queue
  // with so much room. Half of that is the end.
  Overload overload_;
  std::deque<std::shared_ptr<Waiting>> waiting_;  // nobody while a place is free
};

}  // namespace deployd::storage
