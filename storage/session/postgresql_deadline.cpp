#include "storage/session/postgresql_deadline.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <stop_token>
#include <system_error>

namespace deployd::storage {

namespace {

base::FileDescriptor duplicate_of(int socket) {
  int const copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::system_error(errno, std::system_category(), "a socket cannot be duplicated");
  return base::FileDescriptor(copy);
}

}  // namespace

PostgresqlDeadline::PostgresqlDeadline(PGconn const* connection, std::chrono::milliseconds time)
    : socket_(duplicate_of(PQsocket(connection))),
      thread_([this, time](std::stop_token const& stop) { wait(stop, time); }) {}

void PostgresqlDeadline::wait(std::stop_token const& stop, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) return;
  passed_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace deployd::storage
