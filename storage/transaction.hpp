// A transaction that ends with its scope.
#pragma once

#include <soci/soci.h>

#include <string>

namespace deployd::storage {

/// Rolls back unless it was committed, and never throws while doing so.
class Transaction {
 public:
  /// `begin` is the statement that begins it: `BEGIN`, `BEGIN IMMEDIATE` ... Throws soci::soci_error.
  Transaction(soci::session& sql, std::string const& begin) : sql_(sql) { sql_ << begin; }
  Transaction(Transaction const&) = delete;
  Transaction& operator=(Transaction const&) = delete;

  ~Transaction() {
    if (committed_) return;
    try {
      sql_ << "ROLLBACK";
    } catch (soci::soci_error const&) {
      // The session is gone, and the transaction with it.
    }
  }

  /// Throws soci::soci_error; the transaction is rolled back then.
  void commit() {
    sql_ << "COMMIT";
    committed_ = true;
  }

 private:
  soci::session& sql_;
  bool committed_ = false;
};

}  // namespace deployd::storage
