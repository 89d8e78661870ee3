// Row 8 of the fault table for the spool: its files with a bit flipped, a sector emptied, cut, torn or replaced. The agent
// starts, what it sends is what was measured or a gap, in order and without a hole, and nearly everything is still there.
#include <algorithm>
#include <gtest/gtest.h>
#include <iostream>
#include <map>

#include "common/base/crc32c.hpp"
#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using test::batch_of;
using test::SpoolBed;
using test::words;

constexpr std::size_t kSector = 512;
constexpr std::uint64_t kRecords = 400;
using Bytes = std::vector<std::uint8_t>;

/// The files of a killed agent and what was in them.
struct Image {
  Bytes file, log, tail;
  Incarnation incarnation;
  std::map<std::uint64_t, std::vector<double>> records;
};

Batch distinct(std::uint64_t seq) {
  auto batch = batch_of(1 + seq % 30, seq % 5 == 0 ? DataClass::page : DataClass::raw, static_cast<int>(seq));
  for (std::size_t i = 0; i < batch.values.size(); ++i)
    batch.values[i].value = static_cast<double>(seq) + static_cast<double>(i) / 1'000;
  return batch;
}

Image make_image() {
  SpoolBed bed{{"c1", "c2"}, 1};
  bed.options.checkpoint_pages = 40;
  auto& spool = bed.start();
  Image image;
  image.incarnation = bed.stream().incarnation;
  for (std::uint64_t seq = 1; seq <= kRecords; ++seq) {
    spool.append(distinct(seq));
    for (const auto& value : distinct(seq).values) image.records[seq].push_back(value.value);
    if (seq == 50) {
      bed.acknowledge(bed.stream(), 20, "c1");
      bed.acknowledge(bed.stream(), 20, "c2");
      spool.maintain();
    }
    if (seq == 60 || seq == 70) {
      EXPECT_TRUE(spool.source("c1").reject(bed.stream(), Sequence{seq}));
    }
  }
  image.file = bed.disk.bytes("spool.db");
  image.log = bed.disk.bytes("spool.db-wal");
  image.tail = bed.disk.bytes("spool.db.tail");
  return image;
}

const Image& image() {
  static const Image kImage = make_image();
  return kImage;
}

struct Verdict {
  bool stream_known = false;
  std::uint64_t records = 0;  ///< as they were measured
  std::uint64_t missing = 0;  ///< in a gap that was not there before
};

/// A second life over these files. Fails the test when it does not start, lies, repeats itself or leaves a hole.
Verdict second_life(SpoolBed& bed, const Image& of, const Bytes& file, const Bytes& log, const std::string& what) {
  SCOPED_TRACE(what);
  bed.disk.put("spool.db", file);
  if (!log.empty()) bed.disk.put("spool.db-wal", log);
  bed.disk.put("spool.db.tail", of.tail);
  auto opened = Spool::open(bed.options, bed.random);
  if (!opened) {
    ADD_FAILURE() << "the agent does not start: " << opened.error().what;
    return {};
  }
  bed.spool = std::move(*opened);
  Verdict verdict;
  for (const auto& stream : bed.spool->source("c1").streams()) {
    if (stream.live) continue;
    EXPECT_EQ(stream.incarnation, of.incarnation) << "a stream nobody made";
    verdict.stream_known = true;
    auto expected = stream.base.get();
    for (const auto& item : bed.items(stream)) {
      const auto* gap = std::get_if<Gap>(&item);
      const auto first = gap != nullptr ? gap->from.get() : std::get<wire::Record>(item).seq.get();
      EXPECT_EQ(first, expected) << "a hole or a record twice";
      expected = (gap != nullptr ? gap->to.get() : first) + 1;
      if (gap != nullptr) {
        verdict.missing += expected - first - (gap->reason == GapReason::rejected ? 1 : 0);
        continue;
      }
      const auto& record = std::get<wire::Record>(item);
      const auto made = of.records.find(first);
      const bool true_to_it = made != of.records.end() && record.samples.size() == made->second.size();
      EXPECT_TRUE(true_to_it) << "record " << first << " is not what was measured";
      for (std::size_t i = 0; true_to_it && i < made->second.size(); ++i) {
        EXPECT_EQ(record.samples[i].v, made->second[i]);
        EXPECT_EQ(bed.spool->source("c1").series(record.samples[i].id).get("i"), std::to_string(i));
      }
      ++verdict.records;
    }
    EXPECT_LE(expected, kRecords + 1);
  }
  bed.spool->append(batch_of(4, DataClass::page));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:4");
  EXPECT_FALSE(bed.spool->trouble());
  return verdict;
}

/// What every collector holds leaves the spool, whatever was damaged: a record left behind would take room for ever.
void expect_drained(SpoolBed& bed, const std::string& what) {
  SCOPED_TRACE(what);
  for (const char* collector : {"c1", "c2"})
    for (const auto& stream : bed.spool->source(collector).streams())
      bed.acknowledge(stream, stream.next.get() - 1, collector);
  bed.spool->maintain();
  EXPECT_EQ(bed.spool->stats().records, 0U);
  EXPECT_EQ(bed.spool->streams().size(), 1U);
}

/// How much a kind of damage costs over all places; the figure is printed, so that a change shows.
struct Tally {
  std::uint64_t lives = 0, whole = 0, records = 0, streams_lost = 0;
  void add(const Verdict& verdict) {
    ++lives;
    whole += verdict.records == 378 ? 1 : 0;
    records += verdict.records;
    streams_lost += verdict.stream_known ? 0 : 1;
  }
  [[nodiscard]] double kept() const { return static_cast<double>(records) / static_cast<double>(lives) / 378; }
  void print(const char* what) const {
    std::cout << what << ": " << lives << " places, " << whole << " without loss, " << 100 * kept()
              << " % of the records kept, stream unknown " << streams_lost << " times\n";
  }
};

TEST(SpoolCorruption, TheImageIsWholeAndUsesBothFiles) {
  SpoolBed bed{{"c1", "c2"}, 2};
  const auto verdict = second_life(bed, image(), image().file, image().log, "untouched");
  EXPECT_EQ(verdict.records, 378U);  // 400, less 20 trimmed, less 2 rejected
  EXPECT_EQ(verdict.missing, 0U);
  EXPECT_GE(image().file.size(), 20U * 4'096);
  EXPECT_GT(image().log.size(), 4U * 4'096);
}

TEST(SpoolCorruption, OneBitFlippedAnywhere) {
  Tally tally;
  for (std::size_t at = 0; at < image().file.size(); at += 401) {
    auto file = image().file;
    file[at] = static_cast<std::uint8_t>(file[at] ^ (1U << (at % 8)));
    SpoolBed bed{{"c1", "c2"}, 2};
    const auto what = "bit at " + std::to_string(at);
    tally.add(second_life(bed, image(), file, image().log, what));
    expect_drained(bed, what);
  }
  tally.print("bit");
  EXPECT_GT(tally.kept(), 0.97);
}

/// The file with its log copied into it.
Bytes settled_file() {
  SpoolBed bed{{"c1", "c2"}, 2};
  bed.disk.put("spool.db", image().file);
  bed.disk.put("spool.db-wal", image().log);
  sqlite::OpenOptions file;
  file.path = "spool.db";
  file.vfs = bed.disk.vfs();
  EXPECT_TRUE(sqlite::Database::open(file).value().run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return bed.disk.bytes("spool.db");
}

/// Where the two times of a record stand in the file, one behind the other; its sequence and its count stand before them.
std::size_t times_of(const Bytes& file, std::uint64_t seq) {
  Bytes time(6);
  const auto ms = static_cast<std::uint64_t>(to_ms(distinct(seq).time));
  for (std::size_t i = 0; i < 6; ++i) time[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  Bytes both = time;
  both.insert(both.end(), time.begin(), time.end());
  const auto at = std::search(file.begin(), file.end(), both.begin(), both.end());
  EXPECT_TRUE(at != file.end() && std::search(at + 1, file.end(), both.begin(), both.end()) == file.end());
  return static_cast<std::size_t>(at - file.begin());
}

// SQLite reads keys that are out of order without complaint, and its searches then miss rows that are there.
TEST(SpoolCorruption, OneBitFlippedInTheKeyOfARecordCostsThatRecord) {
  const auto whole = settled_file();
  for (const std::uint64_t seq : {21U, 22U, 58U, 64U, 101U, 127U, 142U, 199U, 256U, 303U, 399U})
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto file = whole;
      auto& low = file.at(times_of(file, seq) - 2);
      ASSERT_EQ(low, seq % 256);
      low = static_cast<std::uint8_t>(low ^ (1U << bit));
      SpoolBed bed{{"c1", "c2"}, 2};
      const auto what = "record " + std::to_string(seq) + ", bit " + std::to_string(bit);
      const auto verdict = second_life(bed, image(), file, {}, what);
      EXPECT_EQ(verdict.records, 377U) << what;
      EXPECT_EQ(verdict.missing, 1U) << what;
      expect_drained(bed, what);
    }
}

TEST(SpoolCorruption, OneSectorEmptiedAnywhere) {
  Tally tally;
  for (std::size_t at = 0; at < image().file.size(); at += 2 * kSector) {
    auto file = image().file;
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), kSector, std::uint8_t{0});
    SpoolBed bed{{"c1", "c2"}, 2};
    const auto what = "sector at " + std::to_string(at);
    tally.add(second_life(bed, image(), file, image().log, what));
    expect_drained(bed, what);
  }
  tally.print("sector");
  EXPECT_GT(tally.kept(), 0.85);
}

TEST(SpoolCorruption, TheFileCutAnywhere) {
  Tally tally;
  const auto size = image().file.size();
  for (const std::size_t left :
       {std::size_t{0}, std::size_t{1}, std::size_t{99}, std::size_t{100}, std::size_t{511}, std::size_t{4'095},
        std::size_t{4'096}, std::size_t{4'097}, size / 4, size / 2, size / 2 + 100, size - 4'096, size - 1}) {
    auto file = image().file;
    file.resize(left);
    SpoolBed bed{{"c1", "c2"}, 2};
    tally.add(second_life(bed, image(), file, image().log, "cut to " + std::to_string(left)));
  }
  tally.print("cut");
}

TEST(SpoolCorruption, ATornLogEndsAtItsLastWholeCommit) {
  const auto reference = [](std::size_t left) {
    auto log = image().log;
    log.resize(left);
    SpoolBed bed{{"c1", "c2"}, 2};
    const auto verdict = second_life(bed, image(), image().file, log, "log of " + std::to_string(left));
    EXPECT_EQ(verdict.missing, 0U) << left;
    EXPECT_EQ(bed.disk.size("spool.db.damaged"), 0U) << "nothing is damaged: " << left;
    return verdict.records;
  };
  std::uint64_t before = reference(0);
  for (std::size_t left = 0; left <= image().log.size(); left += 797) {
    const auto records = reference(left);
    EXPECT_GE(records, before);
    before = records;
  }
  EXPECT_EQ(reference(image().log.size()), 378U);
}

TEST(SpoolCorruption, AZeroedOrScribbledTailOfTheLogTakesOnlyWhatWasInIt) {
  for (const bool zeroes : {true, false}) {
    auto log = image().log;
    const auto half = log.size() / 2;
    for (auto i = half; i < log.size(); ++i) log[i] = zeroes ? 0 : static_cast<std::uint8_t>(i * 37);
    auto cut = image().log;
    cut.resize(half);
    SpoolBed damaged{{"c1", "c2"}, 2};
    SpoolBed shorter{{"c1", "c2"}, 3};
    EXPECT_EQ(second_life(damaged, image(), image().file, log, "scribbled").records,
              second_life(shorter, image(), image().file, cut, "cut").records);
  }
}

TEST(SpoolCorruption, WhatIsNoSpoolAtAllIsKeptAsideAndANewOneBegun) {
  Bytes noise(50'000);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<std::uint8_t>(i * i >> 3);
  auto huge = image().file;
  for (std::size_t i = 28; i < 32; ++i) huge[i] = 0xff;  // the number of pages in the header
  auto odd_page = image().file;
  odd_page[16] = 0x13;
  const std::string text = "this is not a database, it is a sentence. ";
  for (const auto& file : {noise, huge, odd_page, Bytes(text.begin(), text.end())}) {
    SpoolBed bed{{"c1", "c2"}, 2};
    (void)second_life(bed, image(), file, {}, "a file of " + std::to_string(file.size()) + " bytes");
    EXPECT_EQ(bed.spool->take_notices().size(), 1U);
    EXPECT_EQ(bed.disk.bytes("spool.db.damaged").size(), file.size());
  }
}

TEST(SpoolCorruption, ADamagedTailLogIsNoReasonNotToStart) {
  for (const auto& tail : {Bytes(10, 0xff), Bytes(300'000, 0xab), Bytes{}}) {
    SpoolBed bed{{"c1", "c2"}, 2};
    auto with = image();
    with.tail = tail;
    EXPECT_EQ(second_life(bed, with, image().file, image().log, "tail").records, 378U);
  }
}

TEST(SpoolCorruption, TwentyRestartsAfterDamageAreNoLoop) {
  auto file = image().file;
  std::fill_n(file.begin() + 8 * 4'096, 3 * 4'096, std::uint8_t{0xee});
  SpoolBed bed{{"c1", "c2"}, 2};
  const auto first = second_life(bed, image(), file, image().log, "first");
  EXPECT_EQ(bed.spool->take_notices().size(), 1U);
  const auto aside = crc32c(bed.disk.bytes("spool.db.damaged"));
  for (int life = 0; life < 20; ++life) {
    bed.restart();
    EXPECT_TRUE(bed.spool->take_notices().empty());
  }
  EXPECT_EQ(crc32c(bed.disk.bytes("spool.db.damaged")), aside);
  std::uint64_t records = 0;
  for (const auto& stream : bed.spool->source("c1").streams())
    if (stream.incarnation == image().incarnation)
      for (const auto& item : bed.items(stream)) records += std::holds_alternative<wire::Record>(item) ? 1 : 0;
  EXPECT_EQ(records, first.records);
}

/// Rows that SQLite reads well: what the checksums are for.
struct Edit {
  const char* name;
  const char* sql;
  bool stream_lost;
};
class EditedRow : public testing::TestWithParam<Edit> {};

TEST_P(EditedRow, IsNotBelieved) {
  SpoolBed bed{{"c1", "c2"}, 2};
  bed.disk.put("spool.db", image().file);
  bed.disk.put("spool.db-wal", image().log);
  {
    sqlite::OpenOptions file;
    file.path = "spool.db";
    file.vfs = bed.disk.vfs();
    auto db = sqlite::Database::open(file).value();
    ASSERT_TRUE(db.run(GetParam().sql));
    ASSERT_GT(db.changes(), 0);
  }
  const auto verdict = second_life(bed, image(), bed.disk.bytes("spool.db"), {}, GetParam().name);
  EXPECT_EQ(verdict.stream_known, !GetParam().stream_lost);
  if (!GetParam().stream_lost) {
    EXPECT_GE(verdict.records, 377U);
  }
  expect_drained(bed, GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(All, EditedRow,
                         testing::Values(Edit{"Payload", "UPDATE record SET payload=zeroblob(length(payload)) WHERE seq=100",
                                              false},
                                         Edit{"Digest", "UPDATE record SET digest=digest+1 WHERE seq=100", false},
                                         Edit{"Class", "UPDATE record SET class=3 WHERE seq=100", false},
                                         Edit{"Time", "UPDATE record SET t_min=t_min+1 WHERE seq=100", false},
                                         Edit{"SequenceBeyondTheEnd", "UPDATE record SET seq=900 WHERE seq=400", false},
                                         Edit{"SequenceBelowTheBase", "UPDATE record SET seq=7 WHERE seq=21", false},
                                         Edit{"StreamOfARecord", "UPDATE record SET stream=77 WHERE seq=400", false},
                                         Edit{"EndOfAGap", "UPDATE gap SET to_seq=900000 WHERE from_seq=60", false},
                                         Edit{"CountOfAGap", "UPDATE gap SET samples=900000 WHERE from_seq=60", false},
                                         Edit{"Cursor", "UPDATE cursor SET durable=399", false},
                                         Edit{"Tenant", "UPDATE stream SET tenant='clinic-z'", true},
                                         Edit{"EndOfAStream", "UPDATE stream SET next=900000", true},
                                         Edit{"BaseOfAStream", "UPDATE stream SET base=300", true}),
                         [](const auto& edit) { return std::string(edit.param.name); });

}  // namespace
}  // namespace ward::agent
