// Remote write as the collector wires it: over real files, beside the head.
#include "collector/forwarding.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "collector/data_files.hpp"
#include "tests/support/fake_http.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::HasSubstr;

struct Lines final : telemetry::LogSink {
  std::string text;
  void write(std::string_view line) override { text += line; }
};

class ForwardingTest : public testing::Test {
 protected:
  ForwardingTest() {
    config_.data_dir = dir_.string();
    ForwardTarget target;
    target.name = "store";
    target.url = "http://127.0.0.1:1/api/v1/write";
    config_.remote_write = {target};
  }
  std::unique_ptr<Forwarding> make() {
    return Forwarding::make(config_,
                            {io_.get_executor(), client_, clock_, random_, log_, metrics_, pool_, catalogue_, head_});
  }
  SeriesId series(const std::string& name) {
    const auto id = catalogue_.resolve(TenantId{"t1"}, AgentId{"a1"}, Labels{{"__name__", name}});
    EXPECT_TRUE(head_.restore(SeriesRef{id + 1}, catalogue_.labels(id)));
    return id;
  }
  static JournalEntry record(std::uint64_t seq, std::vector<wire::IdSample> samples) {
    ReceivedRecord out;
    out.stream = StreamRow{1};
    out.record.seq = Sequence{seq};
    out.record.t_min = samples.front().t;
    out.record.samples = std::move(samples);
    return out;
  }
  [[nodiscard]] std::int64_t queued(std::string_view sql) const {
    sqlite::OpenOptions file;
    file.path = (dir_ / DataFiles::kForward).string();
    return sqlite::Database::open(file)->scalar(sql).value();
  }

  test::TempDir dir_{"forwarding"};
  async::asio::io_context io_;
  test::FakeHttp client_;
  test::ManualClock clock_;
  test::SeededRandom random_;
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
  telemetry::Registry metrics_;
  async::BlockingPool pool_;
  Catalogue catalogue_{{}};
  Head head_{HeadOptions{milliseconds{0}}};
  CollectorConfig config_;
};

TEST_F(ForwardingTest, WithoutTargetsThereIsNothingAndNoFile) {
  config_.remote_write.clear();
  EXPECT_EQ(make(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(dir_ / DataFiles::kForward));
}

TEST_F(ForwardingTest, ADamagedFileIsSetAsideAndTheCollectorStarts) {
  dir_.write(DataFiles::kForward, std::string(8'192, 'x'));
  {
    const auto forwarding = make();
    ASSERT_TRUE(forwarding->open({}));
  }
  EXPECT_EQ(damaged_files(dir_.string()).size(), 1U);
  EXPECT_THAT(lines_.text, HasSubstr("samples that waited for remote write are not sent"));
  EXPECT_EQ(queued("SELECT count(*) FROM target"), 1);
}

TEST_F(ForwardingTest, QueuesWhatTheHeadWillTakeAndNothingElse) {
  const auto a = series("a"), b = series("b");
  const auto known = from_ms(5'000);
  const std::vector<RefSample> had{{SeriesRef{a + 1}, {from_ms(3'000), 1}}, {SeriesRef{a + 1}, {known, 2}}};
  head_.append(had);
  {
    const auto forwarding = make();
    ASSERT_TRUE(forwarding->open({}));
    const std::vector entries{record(1, {{a, known, 2},              // the same again
                                         {a, known, 7},              // another value at its time
                                         {a, from_ms(3'000), 1},     // the same again, and late
                                         {a, from_ms(4'000), 1.5},   // late, and new
                                         {a, from_ms(6'000), 3},     // new
                                         {b, from_ms(3'000), 1}})};  // of a series that has none
    forwarding->tap().offer(entries);
    forwarding->tap().confirm(entries);
  }
  EXPECT_EQ(queued("SELECT sum(samples) FROM record"), 3);
}

}  // namespace
}  // namespace ward::collector
