#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/slo/ledger.hpp"

namespace ward::collector::slo {

/// Names a ledger for good: what its SLO counts (counting_identity) and its group.
struct LedgerKey {
  std::string identity;
  Labels group;
  friend auto operator<=>(const LedgerKey&, const LedgerKey&) = default;
  friend bool operator==(const LedgerKey&, const LedgerKey&) = default;
};

struct StoredLedger {
  LedgerKey key;
  std::vector<Ledger::Block> blocks;  ///< in rising order
  friend bool operator==(const StoredLedger&, const StoredLedger&) = default;
};

/// An alert that was pending or firing.
struct StoredSloAlert {
  std::string slo;
  AlertEvent event;
  friend bool operator==(const StoredSloAlert&, const StoredSloAlert&) = default;
};

struct StoredSlos {
  std::vector<StoredLedger> ledgers;
  std::vector<StoredSloAlert> alerts;
  std::vector<std::string> seeded;  ///< identities whose history was counted in full
  Time counted_through;             ///< the newest sample of the last save; epoch: nothing was saved
};

/// What changed since the last save: whole blocks, each replacing its predecessor.
struct LedgerChange {
  std::vector<StoredLedger> ledgers;
  std::vector<StoredSloAlert> alerts;  ///< all there are
  std::vector<std::string> seeded;     ///< all there are
  Time counted_through;
};

/// Keeps ledgers. Owned by this room, implemented in collector/store/sqlite. Thread: one at a time.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  /// Of these identities (others are left alone, for a rule file that comes back).
  virtual Result<StoredSlos> load(const std::vector<std::string>& identities) = 0;
  /// One block as bytes; none when there is none. Errors: unavailable, corrupt.
  virtual Result<wire::Buffer> block(const LedgerKey& key, BlockNumber number) = 0;
  /// All of it or nothing.
  virtual Status save(const LedgerChange& change) = 0;
  /// Retention of the class "SLO ledgers": blocks that end before this are deleted, and ledgers that have none left.
  virtual Status prune(Time before) = 0;
};

}  // namespace ward::collector::slo
