#include "storage/session/open_postgresql.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "storage/session/postgresql_deadline.hpp"
#include "storage/session/postgresql_hosts.hpp"

namespace deployd::storage {
namespace {

extern "C" void log_notice(void*, char const* message) {
  std::string_view line(message);
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  spdlog::debug("PostgreSQL: {}", line);
}

std::unique_ptr<soci::session> connect_postgresql(PostgresqlUrl url, std::chrono::milliseconds busy) {
  auto const seconds = std::chrono::ceil<std::chrono::seconds>(busy).count();
  url.parameters.try_emplace("connect_timeout", std::to_string(std::max<long long>(seconds, 1)));
  url.parameters.insert_or_assign("fallback_application_name", "deployd");
  auto session = std::make_unique<soci::session>(soci::postgresql, connection_uri(url));
  auto* const connection = static_cast<soci::postgresql_session_backend*>(session->get_backend())->conn_;
  PQsetNoticeProcessor(connection, log_notice, nullptr);  // libpq's default would write to stderr
  // If the database has no encoding, PostgreSQL refuses to send text that is not UTF-8 to a client with that encoding.
  auto const* const stored = PQparameterStatus(connection, "server_encoding");
  bool const without_encoding = stored != nullptr && std::string_view(stored) == "SQL_ASCII";
  // SOCI has sent one statement before this, which has no limit.
  PostgresqlDeadline const deadline(connection, std::max(busy, std::chrono::milliseconds(1000)));
  if (PQsetClientEncoding(connection, without_encoding ? "SQL_ASCII" : "UTF8") != 0) {
    auto const* const why = deadline.passed()                        ? ": no answer in time"
                            : PQstatus(connection) == CONNECTION_BAD ? ": the connection was lost"
                                                                     : ": the server does not support UTF-8";
    throw Error(errc::unavailable, describe(url) + why);
  }
  return session;
}

struct StateMeaning {
  std::string_view prefix;  // of the SQLSTATE
  errc code;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html; the first match applies.
constexpr std::array state_meanings{
    StateMeaning{"25006", errc::forbidden},  // read-only transaction: a standby
    StateMeaning{"28", errc::forbidden},     // authorization
    StateMeaning{"3D000", errc::missing},    // no such database
    StateMeaning{"40", errc::busy},          // serialization failure, deadlock
    StateMeaning{"42501", errc::forbidden},  // privilege
    StateMeaning{"42703", errc::missing},    // no such column
    StateMeaning{"42P01", errc::missing},    // no such table
    StateMeaning{"3F000", errc::missing},    // no such schema
    StateMeaning{"55P03", errc::busy},       // lock timeout
    StateMeaning{"57014", errc::timeout},    // statement timeout
    StateMeaning{"XX001", errc::corrupt},    // damaged data
    StateMeaning{"XX002", errc::corrupt},    // damaged index
};

errc meaning_of_state(std::string_view state) {
  for (auto const& meaning : state_meanings)
    if (state.starts_with(meaning.prefix)) return meaning.code;
  return errc::unavailable;
}

/// Returns what is wrong with a failed connection attempt. There is no SQLSTATE then, only a message, which PostgreSQL
/// translates; unknown messages count as an outage.
errc meaning_of_words(std::string_view message) {
  for (auto const words : {"authentication failed", "pg_hba.conf", "permission denied", "no password supplied"})
    if (message.find(words) != message.npos) return errc::forbidden;
  return errc::unavailable;
}

std::string without(std::string message, std::string_view beginning) {
  if (message.starts_with(beginning)) message.erase(0, beginning.size());
  return message;
}

/// Returns the message without SOCI's prefix: "ERROR:  relation ... does not exist LINE 1: SELECT ...".
std::string_view from_error_on(std::string_view message) {
  constexpr std::string_view beginning = "ERROR:  ";
  auto const error = message.find(beginning);
  if (error != message.npos) message.remove_prefix(error + beginning.size());
  return message;
}

}  // namespace

std::unique_ptr<soci::session> open_postgresql(PostgresqlUrl const& url, Access access,
                                               std::chrono::milliseconds busy) {
  constexpr auto attributes = "target_session_attrs";
  PostgresqlHosts const hosts(url);
  if (!hosts.several()) return connect_postgresql(url, busy);
  if (access != Access::read) return connect_postgresql(with_parameter(url, attributes, "read-write"), busy);
  if (hosts.read_from() == ReadFrom::primary) {
    try {
      return connect_postgresql(with_parameter(url, attributes, "primary"), busy);
    } catch (soci::soci_error const&) {
      return connect_postgresql(with_parameter(url, attributes, "any"), busy);
    }
  }
  return connect_postgresql(url, busy);
}

Error translate(soci::soci_error const& failure, PostgresqlUrl const& url) {
  std::string const message = failure.get_error_message();
  auto const* known = dynamic_cast<soci::postgresql_soci_error const*>(&failure);
  auto const line = known ? first_line_without_passwords(from_error_on(message), url)
                          : without_passwords(without(message, "Cannot establish connection to the database.\n"), url);
  return Error(known ? meaning_of_state(known->sqlstate()) : meaning_of_words(message), describe(url) + ": " + line);
}

}  // namespace deployd::storage
