#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collector/alerting/engine.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/promql/engine.hpp"
#include "collector/tsdb/head.hpp"
#include "common/base/world.hpp"

namespace ward::collector {

/// A clock that stands where it was put. Both clocks move together.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] Time wall() const override { return now_; }
  [[nodiscard]] MonoTime mono() const override { return MonoTime{now_.time_since_epoch()}; }
  void set(Time now) { now_ = now; }

 private:
  Time now_;
};

/// The samples of a rehearsal, in memory alone. Takes them in any order of time; takes what rules record as well.
class SandboxStore final : public Queryable, public RuleOutput {
 public:
  SandboxStore();
  void clear();
  [[nodiscard]] Head& head() { return *head_; }
  void put(const Labels& series, std::span<const Sample> samples);
  /// A whole chunk (tsdb/chunk.hpp) as it is stored, without coding it again. `decoded`: its samples, not empty.
  void put_chunk(const Labels& series, std::span<const std::uint8_t> chunk, std::span<const Sample> decoded);
  /// Lets go of chunks that end before `t`, and of series that have nothing else.
  void drop_before(Time t);

  void write(Time at, std::span<const SeriesValue> series) override;
  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from, Time to) const override;
  [[nodiscard]] std::unique_ptr<SeriesReader> reader() const override { return head_->reader(); }

 private:
  std::unique_ptr<Head> head_;
};

/// What rules are compiled for when nothing real may be touched: a store of its own, PromQL over it, and a clock that moves
/// by hand. One sandbox serves many rehearsals one after the other: clear() between them. Thread: one at a time. What was
/// compiled does not outlive it.
class Sandbox {
 public:
  explicit Sandbox(promql::EngineOptions options = {}) : engine_(clock_, options), compiler_(engine_, store_) {}
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] SandboxStore& store() { return store_; }
  [[nodiscard]] VirtualClock& clock() { return clock_; }
  [[nodiscard]] const ExpressionCompiler& compiler() const { return compiler_; }
  [[nodiscard]] const promql::Engine& promql() const { return engine_; }
  /// An instant query as rules ask it. Errors: invalid, with the parser's or the engine's sentence.
  [[nodiscard]] Result<Vector> query(std::string_view expr, Time at) const;
  void clear() {
    store_.clear();
    compiler_.forget();
  }

 private:
  VirtualClock clock_;
  SandboxStore store_;
  promql::Engine engine_;
  PromqlCompiler compiler_;
};

}  // namespace ward::collector
