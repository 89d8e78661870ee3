#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "common/base/result.hpp"

namespace ward::promql {

/// How many queries of users may run or wait at once, so that a dashboard of a hundred panels does not pile up behind four
/// threads. Rules do not pass here: an alert is never refused for a query's sake.
/// Thread: any. Tickets may outlive the gate.
class QueryGate {
 public:
  explicit QueryGate(unsigned max) : max_(max) {}
  /// A place among the queries, held until the last copy of the ticket is gone.
  using Ticket = std::shared_ptr<const void>;
  /// Errors: overloaded.
  [[nodiscard]] Result<Ticket> enter() {
    if (inside_->fetch_add(1, std::memory_order_relaxed) >= max_) {
      inside_->fetch_sub(1, std::memory_order_relaxed);
      return fail(Errc::overloaded, "too many queries are running or waiting: " + std::to_string(max_),
                  "Ask again in a moment, ask for less at once, or raise the number of concurrent queries.");
    }
    return Ticket{inside_.get(), [inside = inside_](const void*) { inside->fetch_sub(1, std::memory_order_relaxed); }};
  }
  [[nodiscard]] unsigned inside() const { return inside_->load(std::memory_order_relaxed); }

 private:
  unsigned max_;
  std::shared_ptr<std::atomic<unsigned>> inside_ = std::make_shared<std::atomic<unsigned>>(0U);
};

}  // namespace ward::promql
