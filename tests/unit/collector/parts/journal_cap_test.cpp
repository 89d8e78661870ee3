// A journal at its cap: it waits for what is old to age, and then goes on by itself.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <gmock/gmock.h>
#include <random>

#include "collector/parts.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::hours kRetention{24};
constexpr std::size_t kSeries = 50;

/// The collector's ingest without its sockets, on a journal of at most 1 MiB and a clock that the test moves.
struct JournalCap : testing::Test {
  JournalCap() {
    config_.journal_max_bytes = 1 << 20;
    store_ = std::make_unique<Store>(config_, metrics_,
                                     std::move(*SqliteJournal::open({dir_ + "/journal.db", "", config_.journal_max_bytes})));
    recorder_ = std::make_unique<Recorder>(*store_->journal, store_->catalogue, store_->sink);
    CommitLoop::Callbacks callbacks{[this](const std::vector<Committed>& done) { durable_ = done.back().durable.get(); },
                                    [this](const Error& error) { said_.push_back("lost: " + error.what); },
                                    [this](const Error&) { said_.emplace_back("full"); },
                                    [this] { said_.emplace_back("not full"); },
                                    {}};
    loop_ = std::make_unique<CommitLoop>(io_.get_executor(), pool_, *recorder_, std::move(callbacks), milliseconds{2});
    const StreamKey key{TenantId{"clinic-a"}, AgentId{"node-1"}, {}};
    const std::uint64_t boot = 1;
    row_ = recorder_->open_streams(std::span{&key, 1}, std::span{&boot, 1}).value().at(0).row;
  }
  ~JournalCap() override { loop_.reset(); }
  bool run(const std::function<bool()>& until, int attempts = 5'000) {
    io_.restart();
    for (int i = 0; i < attempts && !until(); ++i) io_.run_one_for(std::chrono::milliseconds{1});
    return until();
  }
  /// One sample of each series, of noise that no coder makes smaller.
  void send() {
    ReceivedRecord received;
    received.stream = row_;
    received.record.seq = Sequence{++sent_};
    received.record.t_min = received.record.t_max = now_;
    for (std::size_t n = 0; n < kSeries; ++n) {
      const Labels labels{{"__name__", "noise"}, {"n", std::to_string(n)}};
      const auto id = store_->catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, labels);
      received.record.samples.push_back({id, now_, noise_(random_)});
    }
    loop_->submit(std::move(received));
    now_ += std::chrono::seconds{10};
  }
  void tidy() {
    bool done = false;
    loop_->relieve([this] { (void)store_->tidy(now_ - kRetention); }, [&done] { done = true; });
    ASSERT_TRUE(run([&] { return done; }));
  }
  void fill() {
    while (!loop_->is_full()) {
      send();
      ASSERT_TRUE(run([this] { return durable_ == sent_ || loop_->is_full(); }));
      if (sent_ % 200 == 0) tidy();
      ASSERT_LT(sent_, 100'000U);
    }
  }

  void fill_for_good() {
    do {
      fill();
      tidy();  // rows become chunks, which takes less: some room comes of that too
    } while (run([this] { return !loop_->is_full(); }, 50));
  }

  test::TempDir folder_{"cap"};
  std::string dir_ = folder_.string();
  CollectorConfig config_;
  telemetry::Registry metrics_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = boost::asio::make_work_guard(io_);
  async::BlockingPool pool_{async::BlockingPool::Options{1, std::chrono::seconds{1}}};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<CommitLoop> loop_;
  std::mt19937_64 random_{7};
  std::uniform_real_distribution<double> noise_{0, 1};
  StreamRow row_;
  Time now_ = from_ms(1'000'000'000);
  std::uint64_t sent_ = 0;
  std::uint64_t durable_ = 0;
  std::vector<std::string> said_;
};

TEST_F(JournalCap, GoesOnByItselfOnceOldDataWereDropped) {
  fill_for_good();
  ASSERT_LT(durable_, sent_);
  now_ += kRetention;
  tidy();
  ASSERT_TRUE(run([this] { return durable_ == sent_; })) << "the loop holds what there is room for";
  EXPECT_FALSE(loop_->is_full());
  EXPECT_EQ(said_.back(), "not full");
  send();
  EXPECT_TRUE(run([this] { return durable_ == sent_; }));
}

TEST_F(JournalCap, WhatWaitsForRoomDoesNotGrowWithTheCollectorsOwnSamples) {
  fill_for_good();
  const auto waiting = store_->waiting_bytes();
  ASSERT_GT(waiting, 0U);
  std::vector<SeriesValue> own;
  for (int minute = 0; minute < 20; ++minute) {
    own.clear();
    for (std::size_t n = 0; n < kSeries; ++n)
      own.push_back({Labels{{"__name__", "own"}, {"n", std::to_string(n)}}, noise_(random_)});
    store_->sink.write(now_, own);
    now_ += std::chrono::minutes{1};
    tidy();
    ASSERT_EQ(store_->waiting_bytes(), waiting) << "after " << minute << " minutes at the cap";
  }
  now_ += kRetention;
  tidy();
  ASSERT_TRUE(run([this] { return durable_ == sent_; }));
  tidy();
  store_->sink.write(now_, own);
  tidy();
  EXPECT_EQ(store_->waiting_bytes(), 0U) << "what it did not take meanwhile goes once there is room";
}

TEST_F(JournalCap, ChunksThatAgedWhileTheyWaitedAreNotStored) {
  fill_for_good();
  ASSERT_GT(store_->waiting_bytes(), 0U);
  now_ += kRetention;
  tidy();
  EXPECT_EQ(store_->waiting_bytes(), 0U);
  ASSERT_TRUE(run([this] { return durable_ == sent_; })) << "the loop uses the journal";
  std::size_t old = 0;
  const auto horizon = now_ - kRetention;
  EXPECT_TRUE(
      store_->journal->replay({[](SeriesId, const Labels&) {},
                               [&](const ChunkRow& row) { old += row.t_max < horizon ? 1 : 0; }, [](const auto&) {}}));
  EXPECT_EQ(old, 0U);
}

}  // namespace
}  // namespace ward::collector
