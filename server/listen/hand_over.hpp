// Listening sockets given to the deployd that takes over, so that no connection is lost between the two (decision
// 0010).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>
#include <vector>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// Who accepts from sockets that two processes have.
enum class Sharing {
  both,     // for as long as there are two
  in_turn,  // the older one until it lets go of them, then the other
};

/// The sockets of one address on their way from one process to another.
struct HandedSockets {
  base::FileDescriptor offer;  // where the next one asks for them
  std::vector<base::FileDescriptor> listening;
  base::FileDescriptor turn;  // with `in_turn`: readable as soon as the older one has let go of them, or is gone
};

/// Asks the deployd of this user that offers the sockets of `address` for them; none when there is none. Takes a second
/// at the most.
HandedSockets ask_for_sockets(std::string const& address, Sharing sharing);

/// A place in the abstract namespace of Unix domain sockets where another deployd of this user, or of root, is given
/// duplicates of the listening sockets of one address. Ends with the object.
class SocketOffer {
 public:
  /// Answers on `loop`. Goes on with `sockets.offer` where there is one, else opens a place of its own; a place that is
  /// not to be had is logged, and nothing is offered. With `in_turn` the end of this object lets go of the sockets.
  SocketOffer(boost::asio::io_context& loop, std::string address, Sharing sharing, HandedSockets sockets);

  /// With `in_turn`: whether a process has the sockets and waits for its turn.
  bool is_awaited() const noexcept;

 private:
  void await();
  void answer_all();
  void give_to(base::FileDescriptor asking);

  std::string address_;
  Sharing sharing_;
  std::vector<base::FileDescriptor> listening_;
  std::vector<base::FileDescriptor> waiting_;  // with `in_turn`: their end tells those who wait
  boost::asio::posix::stream_descriptor place_;
};

}  // namespace deployd::server
