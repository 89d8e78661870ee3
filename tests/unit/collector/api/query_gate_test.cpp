#include "collector/api/query_gate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gtest/gtest.h>
#include <vector>

#include "tests/unit/common/async/loop.hpp"

namespace ward::collector::api {
namespace {

using Limits = QueryGate::Limits;
using Entry = std::optional<Result<QueryGate::Place>>;

struct GateTest : testing::Test {
  void use(Limits limits) { gate = std::make_unique<QueryGate>(limits, registry); }
  static async::Task<void> note(QueryGate& gate, QueryGate::Gone gone, Entry& entry) {
    auto entering = gate.enter(std::move(gone));
    auto result = co_await std::move(entering);
    entry.emplace(std::move(result));
  }
  /// Starts to enter; what comes of it stands in `entries`.
  Entry& enter(QueryGate::Gone gone = nullptr) {
    auto& entry = *entries.emplace_back(std::make_unique<Entry>());
    auto& signal = *signals.emplace_back(std::make_unique<async::asio::cancellation_signal>());
    auto ended = async::asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {});
    async::asio::co_spawn(io, note(*gate, std::move(gone), entry), std::move(ended));
    async::settle(io);
    return entry;
  }
  void leave(Entry& entry) {
    entry.reset();
    async::settle(io);
  }
  /// Until it is decided; all waits of these tests are short.
  const Result<QueryGate::Place>& decided(const Entry& entry) {
    io.restart();
    while (!entry && io.run_one_for(async::kHanging) > 0) continue;
    return entry.value();
  }
  [[nodiscard]] double metric(const std::string& name, const std::string& reason = "") const {
    for (const auto& [labels, value] : registry.snapshot())
      if (labels.get("__name__") == name && labels.get("reason") == reason) return value;
    return -1;
  }

  telemetry::Registry registry;
  std::vector<std::unique_ptr<async::asio::cancellation_signal>> signals;
  async::asio::io_context io;
  std::unique_ptr<QueryGate> gate;
  std::vector<std::unique_ptr<Entry>> entries;
};

TEST_F(GateTest, LetsInAsManyAsMayRunAndTheOthersInTheirOrder) {
  use({.running = 2});
  auto& first = enter();
  auto& second = enter();
  auto& third = enter();
  auto& fourth = enter();
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(third || fourth);
  EXPECT_EQ(metric("ward_query_in_flight"), 2);
  EXPECT_EQ(metric("ward_query_waiting"), 2);
  leave(second);
  EXPECT_TRUE(third && *third);
  EXPECT_FALSE(fourth);
  leave(first);
  leave(third);
  EXPECT_TRUE(fourth && *fourth);
  leave(fourth);
  EXPECT_EQ(metric("ward_query_in_flight"), 0);
  EXPECT_EQ(metric("ward_query_waiting"), 0);
}

TEST_F(GateTest, RefusesWhatWaitsTooLong) {
  use({.running = 1, .wait = milliseconds{2}});
  auto& first = enter();
  const auto& late = decided(enter());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::unavailable);
  EXPECT_TRUE(late.error().what.starts_with("too many queries at once: 1 run")) << late.error().what;
  EXPECT_EQ(metric("ward_query_refused_total", "places"), 1);
  EXPECT_EQ(metric("ward_query_waiting"), 0);
  leave(first);
  EXPECT_TRUE(decided(enter()));
}

TEST_F(GateTest, RefusesAtOncePastTheEndOfTheLine) {
  use({.running = 1, .waiting = 1});
  auto& first = enter();
  auto& second = enter();
  auto& third = enter();
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->error().code, Errc::unavailable);
  leave(first);
  EXPECT_TRUE(decided(second));
}

TEST_F(GateTest, LetsNobodyWaitWhoHasLeft) {
  use({.running = 1});
  auto& first = enter();
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  auto& second = enter(gone);
  EXPECT_FALSE(second);
  *gone = true;
  EXPECT_EQ(decided(second).error().code, Errc::cancelled);
  EXPECT_EQ(metric("ward_query_cancelled_total"), 1);
  leave(first);
  EXPECT_EQ(metric("ward_query_in_flight"), 0);
}

TEST_F(GateTest, WaitsForMemoryThatAnswersStillHold) {
  use({.bytes = 1000});
  auto answer = gate->lease();
  answer->take(1000);
  auto& next = enter();
  EXPECT_FALSE(next);
  answer.reset();
  EXPECT_EQ(metric("ward_query_memory_bytes"), 0);
  EXPECT_TRUE(decided(next));
}

TEST_F(GateTest, RefusesWhereMemoryDoesNotComeBack) {
  use({.wait = milliseconds{2}, .bytes = 1000});
  const auto answer = gate->lease();
  answer->take(1000);
  EXPECT_EQ(decided(enter()).error().code, Errc::unavailable);
  EXPECT_EQ(metric("ward_query_refused_total", "memory"), 1);
  EXPECT_EQ(metric("ward_query_memory_bytes"), 1000);
}

TEST_F(GateTest, KeepsNoPlaceForOneThatIsCancelledInLine) {
  use({.running = 1});
  auto& first = enter();
  enter();
  signals.back()->emit(async::asio::cancellation_type::terminal);
  async::settle(io);
  EXPECT_EQ(metric("ward_query_waiting"), 0);
  leave(first);
  EXPECT_EQ(metric("ward_query_in_flight"), 0);
  EXPECT_TRUE(decided(enter()));
}

TEST_F(GateTest, IsOutlivedByItsPlacesAndLeases) {
  use({.running = 1});
  auto& first = enter();
  const auto lease = gate->lease();
  gate.reset();
  lease->take(10);
  leave(first);
  EXPECT_EQ(metric("ward_query_in_flight"), 0);
}

TEST(MemoryLease, EndsTheBigOnesWhenAllTogetherHoldTooMuch) {
  const auto all = std::make_shared<promql::SharedMemory>(6400);
  promql::MemoryLease small{all};
  small.take(100);
  {
    promql::MemoryLease big{all};
    big.take(6300);
    EXPECT_TRUE(big.check());
    big.take(1);
    EXPECT_EQ(big.check().error().code, Errc::unavailable);
    EXPECT_TRUE(small.check()) << "not the one that made it too much";
    big.settle(50);
    EXPECT_EQ(all->used(), 150U);
  }
  EXPECT_EQ(all->used(), 100U);
}

}  // namespace
}  // namespace ward::collector::api
