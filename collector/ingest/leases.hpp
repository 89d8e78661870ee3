#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

#include "common/base/thread_annotations.hpp"

namespace ward::collector {

/// Who holds a lease, and since which point of a count that only rises: one number a request in place of one a series that
/// it uses. Leases may outlive this. Thread: any.
class Leases {
 public:
  /// Ends with its last copy.
  using Lease = std::shared_ptr<const void>;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] Lease take(std::uint32_t point) const;
  /// The lowest point of those held; kNone when none is.
  [[nodiscard]] std::uint32_t oldest() const;

 private:
  struct Held {
    std::mutex mutex;
    std::map<std::uint32_t, std::uint32_t> by_point WARD_GUARDED_BY(mutex);
  };
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

}  // namespace ward::collector
