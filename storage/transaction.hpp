// A transaction that ends with its scope.
#pragma once

#include <soci/soci.h>

#include <string>

namespace deployd::storage {

/// Rolls back unless it was committed. Rolling back never throws.
class Transaction {
 public:
  /// `begin` is the statement that starts it: `BEGIN`, `BEGIN IMMEDIATE` ... Throws soci::soci_error.
  Transaction(soci::session& sql, std::string const& begin) : sql_(sql) { sql_ << begin; }
  Transaction(Transaction const&) = delete;
  Transaction& operator=(Transaction const&) = delete;

  ~Transaction() {
    if (committed_) return;
    try {
      sql_ << "ROLLBACK";
    } catch (soci::soci_error const&) {
      // The session is lost, and the transaction with it.
    }
  }

  /// Commits. Throws soci::soci_error, after which the transaction is rolled back.
  void commit() {
    sql_ << "COMMIT";
    committed_ = true;
  }

 private:
  soci::session& sql_;
  bool committed_ = false;
};

}  // namespace deployd::storage
