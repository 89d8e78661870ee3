#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/base/result.hpp"

namespace ward::promql {

/// Bytes that queries and their answers may hold together. Threads: any.
class SharedMemory {
 public:
  explicit SharedMemory(std::uint64_t max) : max_(max) {}
  void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t max() const { return max_; }

 private:
  std::uint64_t max_;
  std::atomic<std::uint64_t> used_{0};
};

/// One query's part of it, given back when the lease goes. Thread: one at a time.
class MemoryLease {
 public:
  explicit MemoryLease(std::shared_ptr<SharedMemory> all) : all_(std::move(all)) {}
  ~MemoryLease() { all_->give(held_); }
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;

  void take(std::uint64_t bytes) {
    held_ += bytes;
    all_->take(bytes);
  }
  void give(std::uint64_t bytes) {
    held_ -= bytes;
    all_->give(bytes);
  }
  /// From now on it holds just this much: an answer, when all that led to it is gone.
  void settle(std::uint64_t bytes) {
    if (bytes > held_) return take(bytes - held_);
    give(held_ - bytes);
  }
  [[nodiscard]] std::uint64_t held() const { return held_; }
  /// A query that holds next to nothing is not the one to end when all together hold too much.
  /// Errors: unavailable.
  [[nodiscard]] Status check() const {
    if (all_->used() <= all_->max() || held_ <= all_->max() / kSmall) return {};
    return fail(Errc::unavailable,
                "the queries that run now and their answers need more than " + std::to_string(all_->max() >> 20) +
                    " MiB of memory together",
                "Ask again in a moment, or ask for a shorter range, a longer step or fewer series.");
  }

 private:
  static constexpr std::uint64_t kSmall = 64;
  std::shared_ptr<SharedMemory> all_;
  std::uint64_t held_ = 0;
};

}  // namespace ward::promql
