#include "collector/promql/evaluator.hpp"

namespace ward::promql {

Budget::Budget(const EvalLimits& limits, const Clock& clock, Flags cancelled, MemoryLease* shared)
    : limits_(limits), clock_(clock), cancelled_(cancelled), shared_(shared), deadline_(clock.mono() + limits.timeout) {}

Status Budget::charge(std::uint64_t samples) {
  if (samples > limits_.max_samples - used_)
    return fail(Errc::overloaded, "query processing would load too many samples into memory in query execution",
                "Ask for a shorter range, a longer step or fewer series, or raise the sample limit of queries.");
  used_ += samples;
  return check_memory();
}

Status Budget::hold(std::uint64_t bytes) {
  heap_.count(bytes);
  return check_memory();
}

Status Budget::check_memory() const {
  if (heap_.taken > limits_.max_bytes)
    return fail(Errc::overloaded,
                "query processing would use more than " + std::to_string(limits_.max_bytes >> 20) + " MiB of memory",
                "Ask for a shorter range, a longer step or fewer series, or raise the memory limit of queries.");
  return shared_ == nullptr ? Status{} : shared_->check();
}

Status Budget::check_time() const {
  for (const auto* flag : cancelled_)
    if (flag != nullptr && flag->load(std::memory_order_relaxed))
      return fail(Errc::cancelled, "query was canceled in expression evaluation", "Ask again.");
  if (limits_.timeout.count() != 0 && clock_.mono() > deadline_)
    return fail(Errc::timed_out, "query timed out in expression evaluation",
                "Ask for a shorter range, a longer step or fewer series, or raise the time limit of queries.");
  return {};
}

void Budget::Counted::count(std::uint64_t bytes) {
  taken += bytes;
  if (shared_ != nullptr) shared_->take(bytes);
}

void* Budget::Counted::do_allocate(std::size_t bytes, std::size_t alignment) {
  count(bytes);
  return std::pmr::new_delete_resource()->allocate(bytes, alignment);
}

void Budget::Counted::do_deallocate(void* at, std::size_t bytes, std::size_t alignment) {
  if (shared_ != nullptr) shared_->give(bytes);
  std::pmr::new_delete_resource()->deallocate(at, bytes, alignment);
}

}  // namespace ward::promql
