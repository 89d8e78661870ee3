#include "common/async/timers.hpp"

#include "common/async/within.hpp"

namespace ward::async {
namespace {

class RealTimers final : public Timers {
 public:
  Task<void> sleep_for(std::chrono::nanoseconds wait) override { return async::sleep_for(wait); }
};

}  // namespace

std::unique_ptr<Timers> real_timers() { return std::make_unique<RealTimers>(); }

}  // namespace ward::async
