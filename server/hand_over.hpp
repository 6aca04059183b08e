// Listening sockets given to the deployd that takes over, so that no connection is lost between the two (decision
// 0008).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>
#include <vector>

#include "server/file_descriptor.hpp"

namespace deployd::server {

/// The sockets of one address on their way from one process to another.
struct HandedSockets {
  FileDescriptor offer;  // where the next one asks for them
  std::vector<FileDescriptor> listening;
};

/// Asks the deployd of this user that offers the sockets of `address` for them; none when there is none. Takes a second
/// at the most.
HandedSockets ask_for_sockets(std::string const& address);

/// A place in the abstract namespace of Unix domain sockets where another deployd of this user, or of root, is given
/// duplicates of the listening sockets of one address. Ends with the object.
class SocketOffer {
 public:
  /// Answers on `loop`. Goes on with `sockets.offer` where there is one, else opens a place of its own; a place that is
  /// not to be had is logged, and nothing is offered.
  SocketOffer(boost::asio::io_context& loop, std::string address, HandedSockets sockets);

 private:
  void await();
  void answer_all();
  void give_to(FileDescriptor const& asking);

  std::string address_;
  std::vector<FileDescriptor> listening_;
  boost::asio::posix::stream_descriptor place_;
};

}  // namespace deployd::server
