#include "collector/store/sqlite/days.hpp"

#include <filesystem>
#include <gmock/gmock.h>

#include "collector/store/sqlite/day_writer.hpp"
#include "collector/tsdb/chunk.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kJournal = 77;
constexpr Day kDay{20'780};  // 2026-11-23

Time at(Day day, std::int64_t ms) { return from_ms(day.get() * kDayMs + ms); }

std::vector<Sample> samples_from(Time start, int count, double first = 0) {
  std::vector<Sample> out;
  for (int n = 0; n < count; ++n) out.push_back({start + std::chrono::seconds{15 * n}, first + n});
  return out;
}

struct DaysTest : testing::Test {
  DaysTest() { open(); }
  void open(std::int64_t journal = kJournal) {
    days.reset();
    days = std::make_unique<Days>(DayFiles::Options{folder.string(), "", 2}, journal, batch,
                                  DayFiles::list(folder.string()).value());
  }
  DayWriter writer() {
    return {*days,
            batch + 1,
            {[](SeriesRef ref) {
               return Labels{{"__name__", "m"}, {"n", std::to_string(ref.get())}};
             },
             [](SeriesRef) { return std::optional<Day>{}; }}};
  }
  static Status add(DayWriter& to, const std::string& tenant, std::uint32_t series, const std::vector<Sample>& samples) {
    return to.add(tenant, SeriesRef{series}, samples.front().t, samples.back().t, encode_chunk(samples));
  }
  /// One batch of one chunk, settled.
  void file(const std::string& tenant, std::uint32_t series, const std::vector<Sample>& samples) {
    auto to = writer();
    ASSERT_TRUE(add(to, tenant, series, samples));
    ASSERT_TRUE(to.finish());
    days->settled(++batch);
  }
  std::vector<double> read(const std::string& tenant, std::uint32_t series, Time from = Time::min(), Time to = Time::max()) {
    std::vector<double> out;
    const SeriesRef refs[] = {SeriesRef{series}};
    EXPECT_TRUE(days->cursor()->read(tenant, refs, from, to, [&](std::size_t n, std::span<const std::uint8_t> chunk) {
      EXPECT_EQ(n, 0U);
      const auto samples = decode_chunk(chunk).value();
      for (const auto& sample : samples) out.push_back(sample.v);
    }));
    return out;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) out.push_back(entry.path().filename());
    std::erase_if(out, [](const std::string& name) { return name.ends_with("-wal") || name.ends_with("-shm"); });
    std::sort(out.begin(), out.end());
    return out;
  }
  sqlite::Database raw(Day day) {
    sqlite::OpenOptions options;
    options.path = folder.string() + "/" + DayFiles::name(day);
    options.exclusive = false;
    return std::move(*sqlite::Database::open(options));
  }

  test::TempDir folder{"days"};
  std::int64_t batch = 0;
  std::unique_ptr<Days> days;
};

TEST_F(DaysTest, GivesBackWhatWasFiledAlsoAfterARestart) {
  file("clinic-a", 5, samples_from(at(kDay, 0), 3));
  file("clinic-a", 5, samples_from(at(kDay, 3'600'000), 2, 10));
  for (int life = 0; life < 2; ++life) {
    EXPECT_THAT(read("clinic-a", 5), ElementsAre(0, 1, 2, 10, 11));
    EXPECT_THAT(read("clinic-a", 5, at(kDay, 60'000)), ElementsAre(10, 11));
    EXPECT_THAT(read("clinic-a", 6), IsEmpty());
    EXPECT_THAT(read("clinic-b", 5), IsEmpty());
    open();
  }
  EXPECT_THAT(files(), ElementsAre("2026-11-23.db"));
}

TEST_F(DaysTest, CutsAtMidnight) {
  const auto night = samples_from(at(kDay, -30'000), 5);
  auto to = writer();
  ASSERT_TRUE(add(to, "clinic-a", 5, night));
  EXPECT_EQ(to.newest(), (std::map<SeriesRef, Day>{{SeriesRef{5}, kDay}}));
  ASSERT_TRUE(to.finish());
  days->settled(++batch);
  EXPECT_THAT(files(), ElementsAre("2026-11-22.db", "2026-11-23.db"));
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(read("clinic-a", 5, at(kDay, 0)), ElementsAre(2, 3, 4));
}

TEST_F(DaysTest, ABatchCountsOnceItIsSettled) {
  auto to = writer();
  ASSERT_TRUE(add(to, "clinic-a", 5, samples_from(at(kDay, 0), 3)));
  ASSERT_TRUE(to.finish());
  EXPECT_THAT(read("clinic-a", 5), IsEmpty());
  open();
  EXPECT_THAT(read("clinic-a", 5), IsEmpty()) << "the journal never settled it";
  file("clinic-a", 5, samples_from(at(kDay, 0), 3));
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(0, 1, 2)) << "what the attempt before left is gone";
}

TEST_F(DaysTest, ManySeriesTakeSeveralBlocksEachReadOnceInOrder) {
  auto to = writer();
  constexpr std::uint32_t kSeries = 2'000;
  for (const char* tenant : {"clinic-a", "clinic-b"})
    for (std::uint32_t n = 1; n <= kSeries; ++n)
      for (int part = 0; part < 2; ++part)
        ASSERT_TRUE(add(to, tenant, n, samples_from(at(kDay, part * 3'600'000), 120, n * 1'000 + part * 500)));
  ASSERT_TRUE(to.finish());
  days->settled(++batch);
  for (const std::uint32_t n : {1U, 2U, 777U, kSeries}) {
    const auto values = read("clinic-b", n);
    ASSERT_THAT(values, SizeIs(240)) << n;
    EXPECT_EQ(values.front(), n * 1'000);
    EXPECT_EQ(values.back(), n * 1'000 + 619);
  }
  std::vector<SeriesRef> all;
  for (std::uint32_t n = 1; n <= kSeries; ++n) all.emplace_back(n);
  std::vector<int> chunks(kSeries);
  const auto cursor = days->cursor();
  for (std::size_t n = 0; n < all.size(); n += 16)
    ASSERT_TRUE(cursor->read("clinic-a", std::span{all}.subspan(n, 16), Time::min(), Time::max(),
                             [&](std::size_t i, std::span<const std::uint8_t>) { ++chunks[n + i]; }));
  EXPECT_THAT(chunks, testing::Each(2));
}

TEST_F(DaysTest, TellsTheNewestChunksFirstForAStart) {
  file("clinic-a", 5, samples_from(at(kDay, -kDayMs), 1, 1));
  file("clinic-a", 5, samples_from(at(kDay, 0), 1, 2));
  file("clinic-a", 5, samples_from(at(kDay, 50'000), 1, 3));
  open();
  std::vector<double> values;
  ASSERT_TRUE(days->each_chunk_since(at(kDay, 0), [&](const SealedChunk& chunk) {
    EXPECT_EQ(chunk.series, SeriesRef{5});
    values.push_back(decode_chunk(chunk.bytes).value().front().v);
  }));
  EXPECT_THAT(values, ElementsAre(3, 2));
}

TEST_F(DaysTest, RetentionRemovesWholeDays) {
  for (int n = 0; n < 4; ++n) file("clinic-a", 5, samples_from(at(Day{kDay.get() + n}, 0), 1, n));
  ASSERT_TRUE(days->drop_before(Day{kDay.get() + 2}));
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(2, 3));
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(days->first(), Day{kDay.get() + 2});
  ASSERT_TRUE(days->shrink_to(1));
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(3)) << "the newest stays";
  EXPECT_EQ(days->stats().files, 1U);
}

TEST_F(DaysTest, TenantsLeaveADayOneByOneAndGiveTheirRoomBack) {
  std::vector<Sample> noise;
  for (int n = 0; n < 120; ++n) noise.push_back({at(kDay, n * 1'000), 1.0 / (n + 3)});
  {
    auto to = writer();
    for (const char* tenant : {"clinic-a", "clinic-b"})
      for (std::uint32_t n = 1; n < 500; ++n) ASSERT_TRUE(add(to, tenant, n, noise));
    ASSERT_TRUE(to.finish());
    days->settled(++batch);
  }
  open();
  days->measure();
  const auto before = days->stats().bytes;
  const auto expired = [](const std::string& tenant, Day day) { return tenant == "clinic-a" && day == kDay; };
  ASSERT_TRUE(days->drop_tenants(kDay, 1, expired));
  EXPECT_THAT(read("clinic-a", 5), SizeIs(120)) << "the day itself is kept whole";
  ASSERT_TRUE(days->drop_tenants(Day{kDay.get() + 1}, 1, expired));
  EXPECT_THAT(read("clinic-a", 5), IsEmpty());
  EXPECT_THAT(read("clinic-b", 5), SizeIs(120));
  days->measure();
  EXPECT_LT(days->stats().bytes, before * 2 / 3);
}

TEST_F(DaysTest, ADamagedBlockIsLeftOutAndTold) {
  file("clinic-a", 5, samples_from(at(kDay, 0), 3));
  file("clinic-a", 5, samples_from(at(kDay, 3'600'000), 2, 10));
  days.reset();
  ASSERT_TRUE(raw(kDay).run("UPDATE block SET data=zeroblob(length(data)) WHERE id=1"));
  open();
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(10, 11));
  const auto stats = days->stats();
  EXPECT_EQ(stats.damaged_blocks, 1U);
  ASSERT_TRUE(stats.damage.contains("2026-11-23.db"));
}

TEST_F(DaysTest, AFileThatIsNoneIsToldAndSetAsideWhenItsDayIsWritten) {
  file("clinic-a", 5, samples_from(at(kDay, -kDayMs), 1, 1));
  file("clinic-a", 5, samples_from(at(kDay, 0), 1, 2));
  days.reset();
  std::filesystem::resize_file(folder / "2026-11-23.db", 0);
  folder.write("2026-11-23.db", std::string(20'000, 'x'));
  open();
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(1)) << "the other days are read";
  EXPECT_THAT(days->stats().damage.at("2026-11-23.db"), HasSubstr("not a database"));
  {
    auto to = writer();
    ASSERT_TRUE(add(to, "clinic-a", 5, samples_from(at(kDay, 50'000), 1, 3)));
    EXPECT_EQ(to.finish().error().code, Errc::unavailable) << "all of the batch has to come again";
  }
  EXPECT_TRUE(days->wants_labels(kDay));
  file("clinic-a", 5, samples_from(at(kDay, 50'000), 1, 3));
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(1, 3));
  EXPECT_THAT(files(), ElementsAre("2026-11-22.db", "2026-11-23.db", "2026-11-23.db.damaged-1"));
  EXPECT_TRUE(days->stats().damage.empty());
}

TEST_F(DaysTest, AFileTakenAwayIsToldAndTheOthersAreRead) {
  file("clinic-a", 5, samples_from(at(kDay, -kDayMs), 1, 1));
  file("clinic-a", 5, samples_from(at(kDay, 0), 1, 2));
  open();
  std::filesystem::remove(folder / "2026-11-22.db");
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(2));
  EXPECT_THAT(days->stats().damage.at("2026-11-22.db"), HasSubstr("missing"));
}

TEST_F(DaysTest, ABatchIsSeenThoughAQueryOpenedItsDayWhileItWasWritten) {
  for (int n = -3; n < 0; ++n) file("clinic-a", 5, samples_from(at(Day{kDay.get() + n}, 0), 1, n));
  auto to = writer();
  ASSERT_TRUE(add(to, "clinic-a", 5, samples_from(at(kDay, 0), 1, 7)));
  ASSERT_TRUE(to.finish());
  // More days than are kept open: the writer's file is closed and opened again by the query.
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(-3, -2, -1));
  days->settled(++batch);
  EXPECT_THAT(read("clinic-a", 5), ElementsAre(-3, -2, -1, 7));
}

TEST_F(DaysTest, ADayThatRetentionTakesWhileItIsReadIsNoDamage) {
  file("clinic-a", 5, samples_from(at(kDay, -kDayMs), 1, 1));
  file("clinic-a", 5, samples_from(at(kDay, 0), 1, 2));
  const auto cursor = days->cursor();
  const SeriesRef refs[] = {SeriesRef{5}};
  std::vector<double> seen;
  ASSERT_TRUE(cursor->read("clinic-a", refs, Time::min(), Time::max(), [&](std::size_t, std::span<const std::uint8_t>) {
    seen.push_back(1);
    EXPECT_TRUE(days->drop_before(Day{kDay.get() + 1}));
  }));
  EXPECT_THAT(seen, SizeIs(1));
  EXPECT_TRUE(days->stats().damage.empty());
}

TEST_F(DaysTest, DaysOfAnotherJournalAreTakenOverByTheirLabels) {
  file("clinic-a", 5, samples_from(at(kDay, 0), 3));
  file("clinic-a", 9, samples_from(at(kDay, 0), 2, 10));
  batch = 0;
  open(kJournal + 1);
  EXPECT_THAT(read("clinic-a", 5), IsEmpty()) << "its numbers are another journal's";
  EXPECT_THAT(days->begin().value(), ElementsAre(kDay));
  ASSERT_TRUE(days->adopt(kDay, [](const Labels& labels) { return labels.get("n") == "5" ? 40U : 2U; }));
  EXPECT_THAT(days->begin().value(), IsEmpty());
  for (int life = 0; life < 2; ++life) {
    EXPECT_THAT(read("clinic-a", 41), ElementsAre(0, 1, 2));
    EXPECT_THAT(read("clinic-a", 3), ElementsAre(10, 11));
    EXPECT_THAT(read("clinic-a", 5), IsEmpty());
    open(kJournal + 1);
  }
  std::map<SeriesId, std::string> labels;
  days->each_series([&](Day, SeriesId id, const Labels& of) { labels[id] = of.get("n"); });
  EXPECT_EQ(labels, (std::map<SeriesId, std::string>{{40, "5"}, {2, "9"}}));
}

TEST_F(DaysTest, ListsOnlyFilesThatAreDays) {
  for (const char* name : {"2026-11-23.db", "2026-02-30.db", "day-5.db", "day-20780.db", "notes.db",
                           "2026-11-23.db.damaged-1", "2026-11-23.db-wal", "day-99999999.db"})
    folder.write(name, "");
  EXPECT_THAT(DayFiles::list(folder.string()).value(), ElementsAre(kDay, Day{99'999'999}));
}

TEST(DayBlock, RefusesBytesThatMakeNoSense) {
  DayBlockBuilder builder("clinic-a");
  const auto samples = samples_from(at(kDay, 0), 20);
  for (std::uint32_t n = 1; n < 9; ++n)
    builder.add(SeriesRef{n}, samples.front().t, samples.back().t, 20, encode_chunk(samples));
  const auto block = builder.take();
  EXPECT_EQ(block.chunks, 8U);
  EXPECT_EQ(block.samples, 160U);
  const auto chunks = [](const wire::Buffer& data, int& seen) {
    return read_block(data, SeriesRef{1}, [&](const BlockChunk& chunk) { seen += chunk.bytes.empty() ? 0 : 1; });
  };
  int seen = 0;
  EXPECT_TRUE(chunks(block.data, seen));
  EXPECT_EQ(seen, 8);
  for (std::size_t size = 0; size < block.data.size(); ++size) {
    int some = 0;
    EXPECT_FALSE(chunks({block.data.begin(), block.data.begin() + static_cast<std::ptrdiff_t>(size)}, some)) << size;
    EXPECT_LE(some, 8);
  }
}

}  // namespace
}  // namespace ward::collector
