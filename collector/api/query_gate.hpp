#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "collector/promql/query_memory.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector::api {

/// Bounds what the queries of users take from the collector: how many run at once, and the memory that they and the
/// answers not yet written hold together. One that finds no room waits in line, and is refused when that takes too long or
/// the line is full: a dashboard of a hundred panels must not pile up. Rules do not pass here: an alert is never refused
/// for a query's sake. Thread: the io thread; leases: any, and they may outlive the gate.
/// Counts: ward_query_in_flight, _waiting, _memory_bytes, _refused_total{reason}, _cancelled_total.
class QueryGate {
 public:
  struct Limits {
    std::size_t running = 4;                             ///< at once; as many as the pool has threads
    std::size_t waiting = 64;                            ///< in line; past it a query is refused at once
    milliseconds wait{5'000};                            ///< longer waits in line end with a refusal
    std::uint64_t bytes = std::uint64_t{1} << 30;        ///< of all queries and answers together
    std::uint64_t query_bytes = std::uint64_t{1} << 29;  ///< of one query: the others need room too
  };
  /// `gone`: set when the client leaves; null when that cannot be known.
  using Gone = std::shared_ptr<const std::atomic<bool>>;

 private:
  struct State;

 public:
  /// A place among the running queries, free again when it goes.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~Place();
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<State> state_;
  };

  QueryGate(Limits limits, telemetry::Registry& metrics);
  /// Errors: unavailable (no room in time), cancelled (the client left the line).
  async::Task<Result<Place>> enter(Gone gone);
  /// What one query holds, to be kept until its answer is written.
  [[nodiscard]] std::shared_ptr<promql::MemoryLease> lease();
  /// Counts a query that did not end well, by its error.
  void ended(const Error& error);
  [[nodiscard]] const Limits& limits() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace ward::collector::api
