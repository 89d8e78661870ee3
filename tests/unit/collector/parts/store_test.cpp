#include <filesystem>
#include <gmock/gmock.h>

#include "collector/parts.hpp"

namespace ward::collector {
namespace {

using testing::UnorderedElementsAre;

const Labels kOwn{{"__name__", "ward:up:ratio"}, {"tenant", "clinic-a"}};
const Labels kOther{{"__name__", "other"}};

/// A store whose journal is a file, to be opened again.
struct StoreTest : testing::Test {
  StoreTest() { open(); }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  void open() {
    store_.reset();
    std::filesystem::create_directories(dir_);
    auto journal = SqliteJournal::open({dir_ + "/journal.db", "", config_.journal_max_bytes});
    ASSERT_TRUE(journal) << describe(journal.error());
    store_ = std::make_unique<Store>(config_, metrics_, std::move(*journal));
    const auto damaged = store_->replay();
    ASSERT_TRUE(damaged) << describe(damaged.error());
    damaged_ = *damaged;
  }
  std::vector<double> values(const Labels& labels) {
    std::vector<double> out;
    const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), std::string(labels.name()))};
    const auto found = store_->head.select(matchers, Time{}, from_ms(1'000'000'000));
    for (const auto& series : *found)
      for (const auto& sample : series.samples) out.push_back(sample.v);
    return out;
  }

  std::string dir_ = testing::TempDir() + "/ward_store_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  CollectorConfig config_;
  telemetry::Registry metrics_;
  std::unique_ptr<Store> store_;
  std::uint64_t damaged_ = 0;
};

TEST_F(StoreTest, ChunksOfOwnSeriesKeepTheirLabelsThoughNoAgentCommitted) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0));
  store_->sink.write(from_ms(2'000), std::vector<SeriesValue>{{kOther, 1.0}});
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0)) << "its number went to another series";
}

}  // namespace
}  // namespace ward::collector
