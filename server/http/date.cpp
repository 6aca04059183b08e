#include "server/http/date.hpp"

#include <algorithm>

namespace deployd::server {
namespace {

char* put_two_digits(char* at, unsigned value) noexcept {
  *at++ = static_cast<char>('0' + value / 10 % 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

}  // namespace

// strftime is not used because its names depend on the locale.
void HttpDate::render(std::chrono::sys_seconds second) noexcept {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  auto const day = std::chrono::floor<std::chrono::days>(second);
  std::chrono::year_month_day const date(day);
  std::chrono::hh_mm_ss const time(second - day);
  auto const year = static_cast<unsigned>(static_cast<int>(date.year()));

  auto put_text = [](char* at, std::string_view text) { return std::ranges::copy(text, at).out; };
  char* at = text_.data();
  at = put_text(at, days.substr(std::chrono::weekday(day).c_encoding() * 3, 3));
  at = put_text(at, ", ");
  at = put_two_digits(at, static_cast<unsigned>(date.day()));
  at = put_text(at, " ");
  at = put_text(at, months.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3));
  at = put_text(at, " ");
  at = put_two_digits(at, year / 100);
  at = put_two_digits(at, year);
  at = put_text(at, " ");
  at = put_two_digits(at, static_cast<unsigned>(time.hours().count()));
  at = put_text(at, ":");
  at = put_two_digits(at, static_cast<unsigned>(time.minutes().count()));
  at = put_text(at, ":");
  at = put_two_digits(at, static_cast<unsigned>(time.seconds().count()));
  put_text(at, " GMT");
  second_begins_ = second;
  second_ends_ = second + std::chrono::seconds(1);
}

}  // namespace deployd::server
