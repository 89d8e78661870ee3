#include <gtest/gtest.h>
#include <latch>
#include <mutex>

#include "collector/pipeline.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector {
namespace {

using Lines = std::vector<std::string>;

/// A store whose commits last until they are let go; it writes down what happens to it.
class SlowStore final : public StateStore {
 public:
  Status commit(const StateChange&) override {
    note("commit begins");
    began.count_down();
    let_go.wait();
    note("commit ends");
    return {};
  }
  Result<LoadedState> load(Time) override { return LoadedState{}; }
  void note(std::string line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  Lines lines() {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }
  std::latch began{1}, let_go{1};

 private:
  std::mutex mutex_;
  Lines lines_;
};

struct StateWriterTest : testing::Test {
  static async::Task<void> commit(StateWriter& writer) {
    StateChange change;
    (void)co_await writer.commit(std::move(change));
  }
  static async::Task<void> upkeep(StateWriter& writer, SlowStore& store) {
    std::function<Status()> job = [&store]() -> Status {
      store.note("upkeep");
      return {};
    };
    (void)co_await writer.alone(std::move(job));
  }

  async::asio::io_context io;
  SlowStore store;
  async::BlockingPool pool;
  StateWriter writer{io.get_executor(), pool, store};
  async::TaskGroup tasks{io.get_executor()};
};

TEST_F(StateWriterTest, RunsUpkeepBesideNoCommit) {
  tasks.spawn("commit", commit(writer));
  tasks.spawn("upkeep", upkeep(writer, store));
  async::settle(io);
  store.began.wait();
  EXPECT_EQ(pool.threads(), 1U) << "upkeep waits its turn off the pool";
  store.let_go.count_down();
  async::run(io, tasks.join());
  EXPECT_EQ(store.lines(), (Lines{"commit begins", "commit ends", "upkeep"}));
}

TEST_F(StateWriterTest, LeavesTheStoreAloneOnceItsTasksHaveEnded) {
  tasks.spawn("commit", commit(writer));
  tasks.spawn("upkeep", upkeep(writer, store));
  async::settle(io);
  store.began.wait();
  tasks.cancel();
  async::settle(io);
  EXPECT_EQ(tasks.running(), 1U) << "the commit is awaited, what has not begun never does";
  store.let_go.count_down();
  async::run(io, tasks.join());
  EXPECT_EQ(store.lines(), (Lines{"commit begins", "commit ends"}));
}

TEST_F(StateWriterTest, LetsACommitInBetweenThePiecesOfALongRead) {
  const auto pieces = [](StateWriter& to, SlowStore& of) -> async::Task<void> {
    for (int i = 0; i < 3; ++i) {
      auto piece = upkeep(to, of);
      co_await std::move(piece);
    }
  };
  store.let_go.count_down();
  tasks.spawn("pieces", pieces(writer, store));
  tasks.spawn("commit", commit(writer));
  async::run(io, tasks.join());
  EXPECT_EQ(store.lines(), (Lines{"upkeep", "commit begins", "commit ends", "upkeep", "upkeep"}));
}

}  // namespace
}  // namespace ward::collector
