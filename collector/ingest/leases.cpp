#include "collector/ingest/leases.hpp"

namespace ward::collector {

Leases::Lease Leases::take(std::uint32_t point) const {
  struct One {
    One(std::shared_ptr<Held> of, std::uint32_t since) : held(std::move(of)), point(since) {
      const std::scoped_lock lock(held->mutex);
      ++held->by_point[point];
    }
    ~One() {
      const std::scoped_lock lock(held->mutex);
      const auto at = held->by_point.find(point);
      if (--at->second == 0) held->by_point.erase(at);
    }
    One(const One&) = delete;
    One& operator=(const One&) = delete;
    std::shared_ptr<Held> held;
    std::uint32_t point;
  };
  return std::make_shared<const One>(held_, point);
}

std::uint32_t Leases::oldest() const {
  const std::scoped_lock lock(held_->mutex);
  return held_->by_point.empty() ? kNone : held_->by_point.begin()->first;
}

}  // namespace ward::collector
