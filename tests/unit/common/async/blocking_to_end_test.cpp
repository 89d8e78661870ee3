#include "common/async/blocking_to_end.hpp"

#include <gtest/gtest.h>
#include <latch>
#include <stdexcept>

#include "common/async/task_group.hpp"
#include "common/async/within.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::async {
namespace {

TEST(RunBlockingToEnd, GivesTheResult) {
  asio::io_context io;
  BlockingPool pool;
  int got = 0;
  auto job = [] { return 9; };
  auto body = [&]() -> Task<void> { got = co_await run_blocking_to_end(pool, std::move(job)); };
  run(io, body());
  EXPECT_EQ(got, 9);
}

TEST(RunBlockingToEnd, CarriesAnExceptionOver) {
  asio::io_context io;
  BlockingPool pool;
  auto job = []() -> int { throw std::runtime_error("no route"); };
  auto body = [&]() -> Task<void> { (void)co_await run_blocking_to_end(pool, std::move(job)); };
  EXPECT_THROW(run(io, body()), std::runtime_error);
}

TEST(RunBlockingToEnd, KeepsACancelledTaskUntilTheJobHasEnded) {
  asio::io_context io;
  std::latch began{1}, let_go{1};
  BlockingPool pool;
  int got = 0;
  bool went_on = false;
  auto job = [&] {
    began.count_down();
    let_go.wait();
    return 9;
  };
  auto body = [&]() -> Task<void> {
    got = co_await run_blocking_to_end(pool, std::move(job));
    co_await sleep_for(std::chrono::nanoseconds{1});
    went_on = true;
  };
  TaskGroup tasks(io.get_executor());
  tasks.spawn("job", body());
  settle(io);
  began.wait();
  tasks.cancel();
  settle(io);
  EXPECT_EQ(tasks.running(), 1U) << "what the job works on must not go yet";
  let_go.count_down();
  run(io, tasks.join());
  EXPECT_EQ(got, 9);
  EXPECT_FALSE(went_on) << "the cancellation is late, not lost";
}

}  // namespace
}  // namespace ward::async
