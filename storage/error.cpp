#include "storage/error.hpp"

namespace deployd::storage {
namespace {

class Category final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "deployd.storage"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_database_url: return "the database URL cannot be understood";
      case errc::unavailable: return "the store is not available";
      case errc::overloaded: return "too many queries are waiting for the store";
      case errc::timeout: return "the store did not answer in time";
      case errc::missing: return "there is no deployd database";
      case errc::older_schema: return "the database has an older schema";
      case errc::newer_schema: return "the database has a newer schema";
      case errc::corrupt: return "the database is damaged";
      case errc::forbidden: return "access to the database is denied";
      case errc::busy: return "the database is locked";
      case errc::unsuitable: return "the tables do not have the columns that deployd reads";
      case errc::bad_input: return "the data is not valid";
    }
    return "unknown error of the store";
  }
};

}  // namespace

boost::system::error_category const& category() noexcept {
  static Category const instance;
  return instance;
}

}  // namespace deployd::storage
