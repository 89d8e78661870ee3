#include "common/async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "common/async/channel.hpp"
#include "common/async/within.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::async {
namespace {

constexpr std::chrono::hours kNever{1'000};

Task<void> count(int& runs) {
  ++runs;
  co_return;
}

Task<void> wait_then_count(int& ended) {
  try {
    co_await sleep_for(kNever);
  } catch (...) {
    ++ended;
    throw;
  }
}

Task<void> breaks() {
  throw std::runtime_error("broken");
  co_return;
}

/// Ends another way round: cleaning up takes more than one step after the cancellation.
Task<void> cleans_up_slowly(int& ended) {
  bool cancelled = false;
  try {
    co_await sleep_for(kNever);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await sleep_for(std::chrono::milliseconds{2});
  if (cancelled) ++ended;
}

TEST(TaskGroup, JoinWaitsForAllTasks) {
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  int runs = 0;
  for (int i = 0; i < 3; ++i) group.spawn("count", count(runs));
  EXPECT_EQ(group.running(), 3U);
  run(io, group.join());
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroup, JoinOfNothingEndsAtOnce) {
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  run(io, group.join());
}

TEST(TaskGroup, StopCancelsAndWaitsForTheLastStep) {
  asio::io_context io;
  std::vector<std::string> failures;
  TaskGroup group{io.get_executor(), [&](const std::string& name, std::exception_ptr) { failures.push_back(name); }};
  int ended = 0;
  group.spawn("waits", wait_then_count(ended));
  group.spawn("slow", cleans_up_slowly(ended));
  settle(io);
  run(io, group.stop());
  EXPECT_EQ(ended, 2);
  EXPECT_TRUE(failures.empty()) << "cancellation is not a failure";
}

TEST(TaskGroup, StopReachesATaskThatHasNotBegun) {
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  int ended = 0;
  group.spawn("waits", wait_then_count(ended));
  run(io, group.stop());
  EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroup, AFailureIsToldByNameAndTheOthersGoOn) {
  asio::io_context io;
  std::string failed, what;
  TaskGroup group{io.get_executor(), [&](const std::string& name, std::exception_ptr error) {
                    failed = name;
                    try {
                      std::rethrow_exception(error);
                    } catch (const std::exception& e) {
                      what = e.what();
                    }
                  }};
  int ended = 0;
  group.spawn("waits", wait_then_count(ended));
  group.spawn("breaks", breaks());
  settle(io);
  EXPECT_EQ(failed, "breaks");
  EXPECT_EQ(what, "broken");
  EXPECT_EQ(group.running(), 1U);
  EXPECT_EQ(ended, 0);
  run(io, group.stop());
  EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, AFailureWithoutAListenerIsTheEndOfThatTaskOnly) {
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  group.spawn("breaks", breaks());
  run(io, group.join());
}

TEST(TaskGroup, TasksMaySpawnTasks) {
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  int runs = 0;
  auto parent = [&]() -> Task<void> {
    for (int i = 0; i < 4; ++i) group.spawn("child", count(runs));
    co_return;
  };
  group.spawn("parent", parent());
  run(io, group.join());
  EXPECT_EQ(runs, 4);
}

TEST(TaskGroup, AFinishedTaskMayStartItsSuccessorWhileStopping) {
  // A task that ends by cancellation wakes another one; cancel() must not trip over the list it walks.
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  Channel<int> channel{io.get_executor(), 1, Overflow::refuse_newest};
  auto reader = [&]() -> Task<void> { (void)co_await channel.pop(); };
  auto closer = [&]() -> Task<void> {
    try {
      co_await sleep_for(kNever);
    } catch (...) {
      channel.close();
      throw;
    }
  };
  for (int i = 0; i < 5; ++i) {
    group.spawn("closer", closer());
    group.spawn("reader", reader());
  }
  settle(io);
  run(io, group.stop());
  EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroupDeathTest, LeavingTasksBehindIsABug) {
  const auto leave = [] {
    asio::io_context io;
    int ended = 0;
    TaskGroup group{io.get_executor()};
    group.spawn("waits", wait_then_count(ended));
  };
  EXPECT_DEATH(leave(), "does not hold");
}

}  // namespace
}  // namespace ward::async
