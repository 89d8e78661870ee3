// A journal at its cap: filing its samples by day makes all the room there is, and ingest goes on by itself.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <random>

#include "collector/ingest/commit_loop.hpp"
#include "tests/support/sample_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kSeries = 50;

/// The collector's ingest without its sockets, on a journal of at most 512 KiB and a clock that the test moves.
struct JournalCap : testing::Test {
  JournalCap() {
    config_.journal_max_bytes = 512 << 10;
    store_ = test::open_store(folder_.string(), config_, metrics_);
    (void)store_->replay(now_);
    recorder_ = std::make_unique<Recorder>(*store_->journal, store_->catalogue, store_->sink);
    CommitLoop::Callbacks callbacks{[this](const std::vector<Committed>& done) { durable_ = done.back().durable.get(); },
                                    [this](const Error& error) { said_.push_back("lost: " + error.what); },
                                    [this](const Error&) { said_.emplace_back("full"); },
                                    [this] { said_.emplace_back("not full"); },
                                    {}};
    loop_ = std::make_unique<CommitLoop>(io_.get_executor(), pool_, *recorder_, std::move(callbacks),
                                         CommitLoop::Pace{.retry_every = milliseconds{2}});
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
    loop_->relieve(
        [this] {
          (void)store_->tidy(now_);
          (void)store_->store_chunks();
        },
        [&done] { done = true; });
    ASSERT_TRUE(run([&] { return done; }));
  }
  void fill() {
    while (!loop_->is_full()) {
      send();
      ASSERT_TRUE(run([this] { return durable_ == sent_ || loop_->is_full(); }));
      ASSERT_LT(sent_, 100'000U);
    }
  }

  test::TempDir folder_{"cap"};
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

TEST_F(JournalCap, FilingMakesRoomAndIngestGoesOnByItself) {
  for (int round = 0; round < 2; ++round) {
    fill();
    ASSERT_LT(durable_, sent_);
    tidy();
    ASSERT_TRUE(run([this] { return durable_ == sent_; })) << "the loop holds what there is room for";
    EXPECT_FALSE(loop_->is_full());
    EXPECT_EQ(said_.back(), "not full");
  }
  const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), "noise")};
  const auto found = store_->history.select(matchers, Time{}, now_);
  ASSERT_EQ(found->size(), kSeries);
  for (const auto& series : *found) EXPECT_EQ(series.samples.size(), sent_);
}

}  // namespace
}  // namespace ward::collector
