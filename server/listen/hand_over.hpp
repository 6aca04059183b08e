// Hands over listening sockets to the deployd that takes over, so that no connection is lost in between (decision
// 0010).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>
#include <vector>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// Which process accepts from sockets that two processes have.
enum class Sharing {
  both,     // both, while both exist
  in_turn,  // the older one until it releases them, then the other
};

/// The sockets of one address, handed over by another process.
struct HandedSockets {
  base::FileDescriptor offer;  // where the next process requests them
  std::vector<base::FileDescriptor> listening;
  base::FileDescriptor turn;  // with `in_turn`: readable when the older process has released them or exited
};

/// Requests the sockets of `address` from the deployd of this user that offers them. Returns none if there is none.
/// Takes at most a second.
HandedSockets ask_for_sockets(std::string const& address, Sharing sharing);

/// A socket in the abstract namespace of Unix domain sockets where another deployd of this user, or of root, gets
/// duplicates of the listening sockets of one address. The offer ends with the object.
class SocketOffer {
 public:
  /// Answers requests on `loop`. Continues to use `sockets.offer` if there is one, otherwise opens an offer; if that
  /// fails, the failure is logged and nothing is offered. With `in_turn`, destruction releases the sockets.
  SocketOffer(boost::asio::io_context& loop, std::string address, Sharing sharing, HandedSockets sockets);

  /// With `in_turn`: true if a process has the sockets and waits for its turn.
  bool is_awaited() const noexcept;

 private:
  void await();
  void answer_all();
  void give_to(base::FileDescriptor asking);

  std::string address_;
  Sharing sharing_;
  std::vector<base::FileDescriptor> listening_;
  std::vector<base::FileDescriptor> waiting_;  // with `in_turn`: closing them notifies the waiting processes
  boost::asio::posix::stream_descriptor place_;
};

}  // namespace deployd::server
