// Row 8 of the fault table for the collector's journal: with a bit flipped, a sector emptied or the log torn, nothing that
// was not measured reaches the head, in the next life neither. What cannot be read is counted, or the collector says which
// file to move aside.
#include <gtest/gtest.h>
#include <iostream>

#include "collector/ingest/catalogue.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/replay.hpp"

namespace ward::collector {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint64_t kRecords = 300;

double value_of(std::uint64_t seq, std::uint32_t id) { return static_cast<double>(seq) + id / 1'000.0; }

struct Image {
  Bytes file, log;
};

SqliteJournal::Options options(const sim::Disk& disk) { return {"journal.db", disk.vfs(), 0, 60}; }

Image make_image() {
  sim::Disk disk("journal-image", 1);
  auto journal = SqliteJournal::open(options(disk)).value();
  const std::vector<StreamKey> keys{{TenantId{"clinic-a"}, AgentId{"node-1"}, {}}};
  const std::vector<std::uint64_t> boots{1};
  const auto row = journal->open_streams(keys, boots).value().at(0).row;
  for (std::uint64_t seq = 1; seq <= kRecords; ++seq) {
    ReceivedRecord received;
    received.stream = row;
    received.record.seq = Sequence{seq};
    received.record.t_min = received.record.t_max = from_ms(static_cast<std::int64_t>(seq));
    std::vector<NewSeries> series;
    for (std::uint32_t id = 0; id < 20; ++id) {
      if (seq == 1) series.push_back({id, Labels{{"__name__", "m"}, {"i", std::to_string(id)}}});
      received.record.samples.push_back({id, received.record.t_min, value_of(seq, id)});
    }
    const std::vector<JournalEntry> entries{received};
    EXPECT_TRUE(journal->commit(series, entries));
  }
  return {disk.bytes("journal.db"), disk.bytes("journal.db-wal")};
}

const Image& image() {
  static const Image kImage = make_image();
  return kImage;
}

struct Verdict {
  bool opens = false;
  bool replays = false;
  std::uint64_t samples = 0, damaged = 0;
};

const Labels kFresh{{"__name__", "fresh"}};
constexpr double kFreshValue = -1.0;

/// The life after the damage: a series that was never there before is stored, and at the next start has its own sample only.
void live_on(std::unique_ptr<SqliteJournal> journal, Catalogue& catalogue, const sim::Disk& disk) {
  const auto id = catalogue.resolve_own(kFresh);
  const std::vector<StreamKey> keys{{TenantId{"clinic-b"}, AgentId{"node-2"}, {}}};
  const std::vector<std::uint64_t> boots{1};
  const auto opened = journal->open_streams(keys, boots);
  if (!opened) return;
  ReceivedRecord received;
  received.stream = opened->at(0).row;
  received.record.seq = Sequence{1};
  received.record.t_min = received.record.t_max = from_ms(1);
  received.record.samples.push_back({id, from_ms(1), kFreshValue});
  const std::vector<JournalEntry> entries{std::move(received)};
  if (!journal->commit(catalogue.take_new(), entries)) return;
  journal.reset();
  auto again = SqliteJournal::open(options(disk));
  if (!again) return;
  (void)test::replay(**again, {[&](SeriesId of, const Labels& labels) { EXPECT_EQ(of == id, labels == kFresh); }},
                     [&](const std::vector<wire::IdSample>& samples) {
                       for (const auto& sample : samples)
                         EXPECT_EQ(sample.id == id, sample.v == kFreshValue) << "another's samples under its labels";
                     });
}

/// A start over these files, and what comes after it. Fails the test for a value or a label nobody measured, and for a
/// refusal without advice.
Verdict start(const Bytes& file, const Bytes& log, const std::string& what) {
  SCOPED_TRACE(what);
  sim::Disk disk("journal-damaged", 2);
  disk.put("journal.db", file);
  if (!log.empty()) disk.put("journal.db-wal", log);
  Verdict verdict;
  auto journal = SqliteJournal::open(options(disk));
  if (!journal) {
    EXPECT_FALSE(journal.error().fix.empty()) << journal.error().what;
    return verdict;
  }
  verdict.opens = true;
  Catalogue catalogue{{}};
  const auto damaged = test::replay(**journal, {[&](SeriesId id, Labels labels) {
    EXPECT_EQ(labels, (Labels{{"__name__", "m"}, {"i", std::to_string(id)}}));
    catalogue.load(id, std::move(labels));
  }},
                                    [&](const std::vector<wire::IdSample>& samples) {
                                      for (const auto& sample : samples) {
                                        const auto seq = static_cast<std::uint64_t>(to_ms(sample.t));
                                        EXPECT_EQ(sample.v, value_of(seq, sample.id)) << "a value nobody measured";
                                      }
                                      verdict.samples += samples.size();
                                    });
  // As a start does it: what only the records know is known before an agent is served where series are damaged, else not.
  if (damaged && damaged->written) catalogue.reserve(*damaged->written);
  if (damaged && damaged->damaged_series > 0 && damaged->highest) catalogue.reserve(*damaged->highest);
  if (!damaged) {
    EXPECT_FALSE(damaged.error().fix.empty()) << damaged.error().what;
  }
  verdict.replays = damaged.has_value();
  verdict.damaged = damaged ? damaged->damaged : 0;
  if (damaged) live_on(std::move(*journal), catalogue, disk);
  return verdict;
}

struct Tally {
  std::uint64_t starts = 0, whole = 0, counted = 0, refused = 0;
  void add(const Verdict& verdict) {
    ++starts;
    whole += verdict.samples == kRecords * 20 ? 1 : 0;
    counted += verdict.damaged > 0 ? 1 : 0;
    refused += verdict.replays ? 0 : 1;
  }
  void print(const char* what) const {
    std::cout << what << ": " << starts << " places, " << whole << " without loss, " << counted << " with rows left out, "
              << refused << " refused\n";
  }
};

TEST(JournalCorruption, TheImageIsWhole) {
  const auto verdict = start(image().file, image().log, "untouched");
  EXPECT_EQ(verdict.samples, kRecords * 20);
  EXPECT_EQ(verdict.damaged, 0U);
  EXPECT_GT(image().file.size(), 10U * 4'096);
  EXPECT_GT(image().log.size(), 4U * 4'096);
}

TEST(JournalCorruption, ABitFlippedAnywhereIsNeverAValue) {
  Tally tally;
  for (std::size_t at = 0; at < image().file.size(); at += 397) {
    auto file = image().file;
    file[at] = static_cast<std::uint8_t>(file[at] ^ (1U << (at % 8)));
    tally.add(start(file, image().log, "bit at " + std::to_string(at)));
  }
  tally.print("bit");
  EXPECT_GT(tally.counted, 20U);
  EXPECT_LT(tally.refused * 5, tally.starts);
}

TEST(JournalCorruption, ASectorEmptiedAnywhereIsNeverAValue) {
  Tally tally;
  for (std::size_t at = 0; at < image().file.size(); at += 1'024) {
    auto file = image().file;
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), 512, std::uint8_t{0});
    tally.add(start(file, image().log, "sector at " + std::to_string(at)));
  }
  tally.print("sector");
}

TEST(JournalCorruption, ATornLogEndsAtItsLastWholeCommit) {
  std::uint64_t before = 0;
  for (std::size_t left = 0; left <= image().log.size(); left += 1'201) {
    auto log = image().log;
    log.resize(left);
    const auto verdict = start(image().file, log, "log of " + std::to_string(left));
    EXPECT_TRUE(verdict.replays);
    EXPECT_EQ(verdict.damaged, 0U);
    EXPECT_EQ(verdict.samples % 20, 0U);
    EXPECT_GE(verdict.samples, before);
    before = verdict.samples;
  }
}

TEST(JournalCorruption, WhatIsNoJournalIsRefusedWithAdviceAndLeftAsItIs) {
  for (const auto& file : {Bytes(50'000, 0xa5), Bytes{'t', 'e', 'x', 't', ' ', 'o', 'n', 'l', 'y', '.'}}) {
    sim::Disk disk("journal-foreign", 3);
    disk.put("journal.db", file);
    const auto refused = SqliteJournal::open(options(disk));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_NE(refused.error().fix.find("aside"), std::string::npos) << refused.error().fix;
    EXPECT_EQ(disk.bytes("journal.db"), file);
  }
}

}  // namespace
}  // namespace ward::collector
