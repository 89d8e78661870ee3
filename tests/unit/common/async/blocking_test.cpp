#include "common/async/blocking.hpp"

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

#include "common/async/within.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::async {
namespace {

TEST(RunBlocking, GivesTheResultOnTheCallersThread) {
  asio::io_context io;
  BlockingPool pool;
  const auto here = std::this_thread::get_id();
  std::thread::id worked, resumed;
  std::unique_ptr<int> got;
  auto job = [&] {
    worked = std::this_thread::get_id();
    return std::make_unique<int>(9);
  };
  auto body = [&]() -> Task<void> {
    got = co_await run_blocking(pool, std::move(job));
    resumed = std::this_thread::get_id();
  };
  run(io, body());
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, 9);
  EXPECT_NE(worked, here);
  EXPECT_EQ(resumed, here);
}

TEST(RunBlocking, TakesFunctionsWithoutAResult) {
  asio::io_context io;
  BlockingPool pool;
  bool done = false;
  auto job = [&] { done = true; };
  auto body = [&]() -> Task<void> { co_await run_blocking(pool, std::move(job)); };
  run(io, body());
  EXPECT_TRUE(done);
}

TEST(RunBlocking, CarriesAnExceptionOver) {
  asio::io_context io;
  BlockingPool pool;
  auto job = []() -> int { throw std::runtime_error("no route"); };
  auto body = [&]() -> Task<void> { (void)co_await run_blocking(pool, std::move(job)); };
  EXPECT_THROW(run(io, body()), std::runtime_error);
}

TEST(RunBlocking, OneThatHangsDoesNotDelayTheOthers) {
  asio::io_context io;
  std::latch let_go{1};
  BlockingPool pool;
  auto hang = [&] { let_go.wait(); };
  bool hanging_ended = false;
  auto hanging = [&]() -> Task<void> {
    co_await run_blocking(pool, std::move(hang));
    hanging_ended = true;
  };
  asio::co_spawn(io, hanging(), asio::detached);
  settle(io);
  int got = 0;
  for (int i = 0; i < 5; ++i) {
    auto job = [i] { return i; };
    auto body = [&]() -> Task<void> { got += co_await run_blocking(pool, std::move(job)); };
    run(io, body());
  }
  EXPECT_EQ(got, 10);
  EXPECT_FALSE(hanging_ended);
  let_go.count_down();
  io.restart();
  io.run();
  EXPECT_TRUE(hanging_ended);
}

TEST(RunBlocking, AFullPoolQueuesAndGoesOnWhenAThreadIsFree) {
  asio::io_context io;
  std::latch let_go{1};
  std::atomic<int> began{0};
  BlockingPool pool{{.max_threads = 2, .idle = std::chrono::seconds{30}}};
  int ended = 0;
  auto one = [&]() -> Task<void> {
    auto job = [&] {
      ++began;
      let_go.wait();
    };
    co_await run_blocking(pool, std::move(job));
    ++ended;
  };
  for (int i = 0; i < 6; ++i) asio::co_spawn(io, one(), asio::detached);
  settle(io);
  EXPECT_EQ(pool.threads(), 2U);
  EXPECT_LE(began.load(), 2);
  let_go.count_down();
  io.restart();
  io.run();
  EXPECT_EQ(ended, 6);
  EXPECT_EQ(pool.threads(), 2U);
}

TEST(RunBlocking, ACancelledCallerLeavesAtOnceAndTheCallRunsOn) {
  asio::io_context io;
  std::latch let_go{1};
  std::latch over{1};
  BlockingPool pool;
  auto kept = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = kept;
  auto job = [&, kept = std::move(kept)] {
    let_go.wait();
    over.count_down();
    return *kept;
  };
  std::optional<int> got = 1;
  auto body = [&]() -> Task<void> {
    got = co_await within(std::chrono::milliseconds{1}, run_blocking(pool, std::move(job)));
  };
  run(io, body());
  EXPECT_FALSE(got);
  EXPECT_FALSE(watched.expired()) << "what the call uses lives as long as it runs";
  let_go.count_down();
  over.wait();
  io.restart();
  io.run();
}

TEST(RunBlocking, CancellationThrowsOperationAborted) {
  asio::io_context io;
  std::latch let_go{1};
  BlockingPool pool;
  asio::cancellation_signal cancel;
  std::exception_ptr error;
  auto body = [&]() -> Task<void> {
    auto job = [&] { let_go.wait(); };
    co_await run_blocking(pool, std::move(job));
  };
  asio::co_spawn(io, body(), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { error = e; }));
  settle(io);
  cancel.emit(asio::cancellation_type::all);
  settle(io);
  ASSERT_TRUE(error);
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::operation_aborted);
  }
  let_go.count_down();
  io.restart();
  io.run();
}

TEST(BlockingPool, ItsEndWaitsForWhatRuns) {
  std::atomic<int> done{0};
  {
    BlockingPool pool{{.max_threads = 3, .idle = std::chrono::seconds{30}}};
    for (int i = 0; i < 50; ++i) pool.submit([&] { ++done; });
  }
  EXPECT_EQ(done.load(), 50);
}

TEST(BlockingPool, ThreadsLeaveWhenIdleAndComeBack) {
  BlockingPool pool{{.max_threads = 4, .idle = std::chrono::seconds{0}}};
  for (int i = 0; i < 20; ++i) {
    std::latch done{1};
    pool.submit([&] { done.count_down(); });
    done.wait();
  }
  EXPECT_LE(pool.threads(), 4U);
}

}  // namespace
}  // namespace ward::async
