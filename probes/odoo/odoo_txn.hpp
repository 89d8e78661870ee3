#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "probes/probe.hpp"

namespace ward::probes {

/// The methods a synthetic transaction may call: none writes (facts: odoo 2.1).
enum class TxnMethod : std::uint8_t { search_read, search_count };

struct OdooTxnOptions {
  std::string url{};       ///< base, without a trailing '/'
  std::string database{};  ///< X-Odoo-Database; "" where only one is visible
  std::string model = "res.company";
  TxnMethod method = TxnMethod::search_read;
  std::vector<std::string> fields{"id", "write_date"};  ///< of search_read; never fields that describe people
  Secret key{};
  std::chrono::milliseconds timeout{10'000};
};
std::unique_ptr<Probe> make_odoo_txn(OdooTxnOptions options);

}  // namespace ward::probes
