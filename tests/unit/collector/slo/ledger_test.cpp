#include "collector/slo/ledger.hpp"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace ward::collector::slo {
namespace {

constexpr std::int64_t kMonth = 30 * 1'440;
constexpr std::int64_t kStart = 29'900'160;  // some day in 2026; the beginning of a block

/// What a ledger should say, the slow way.
struct Plain {
  Counting counting;
  std::map<std::int64_t, Cell> cells;
  [[nodiscard]] Sums between(std::int64_t from, std::int64_t to) const {
    Sums out;
    std::vector<Cell> slice(static_cast<std::size_t>(counting.slice));
    for (auto m = from - from % counting.slice; m < to - to % counting.slice; m += counting.slice) {
      for (std::int64_t i = 0; i < counting.slice; ++i) {
        const auto found = cells.find(m + i);
        slice[static_cast<std::size_t>(i)] = found == cells.end() ? Cell{} : found->second;
      }
      out += counting.count(slice);
    }
    return out;
  }
};

/// A disk: what take_changed() handed out.
struct Disk {
  std::map<BlockNumber, wire::Buffer> blocks;
  int reads = 0;
  bool broken = false;
  Ledger::ReadBlock reader() {
    return [this](BlockNumber n) -> Result<wire::Buffer> {
      ++reads;
      if (broken) return fail(Errc::unavailable, "the disk is gone", "");
      const auto found = blocks.find(n);
      return found == blocks.end() ? wire::Buffer{} : found->second;
    };
  }
  void save(Ledger& ledger) {
    for (auto& [number, bytes] : ledger.take_changed()) blocks[number] = bytes;
    ledger.saved();
  }
  [[nodiscard]] std::vector<Ledger::Block> all() const {
    std::vector<Ledger::Block> out;
    for (const auto& [number, bytes] : blocks)
      if (!bytes.empty()) out.push_back({number, bytes});
    return out;
  }
};

TEST(Ledger, SumsEveryWindowToTheMinute) {
  Disk disk;
  Ledger ledger({}, 9, kMonth, disk.reader());
  Plain plain;
  std::mt19937 random(7);
  const std::int64_t windows[] = {5, 30, 60, 120, 360, 1'440, 4'320, kMonth};
  for (std::int64_t m = kStart; m < kStart + kMonth + 3'000; ++m) {
    const Amount total = static_cast<Amount>(random() % 2'000) * kOne;
    const Amount bad = random() % 10 == 0 ? total / 3 : 0;
    if (random() % 20 != 0) {
      ASSERT_TRUE(ledger.add(m, bad, total));
      plain.cells[m].bad += bad;
      plain.cells[m].total += total;
    }
    if (m % 17 == 0) disk.save(ledger);
    if (m % 1'511 != 0) continue;
    const auto end = ledger.before(0, m + 1);
    for (std::size_t w = 0; w < std::size(windows); ++w)
      ASSERT_EQ(end - ledger.before(w + 1, m + 1 - windows[w]), plain.between(m + 1 - windows[w], m + 1))
          << m << " " << windows[w];
  }
}

TEST(Ledger, NeedsAtMost24KiBFor30Days) {
  Disk disk;
  Ledger ledger({}, 10, kMonth + kBlockMinutes, disk.reader());
  std::mt19937 random(7);
  std::size_t most = 0;
  for (std::int64_t m = kStart; m < kStart + kMonth + 1'000; ++m) {
    ledger.add(m, static_cast<Amount>(random() % 9) * kOne, static_cast<Amount>(5'000 + random() % 2'000) * kOne);
    std::size_t edge = 0;
    for (const std::int64_t w : {0, 5, 30, 60, 120, 360, 1'440, 4'320, 43'200}) ledger.before(edge++, m + 1 - w);
    disk.save(ledger);
    most = std::max(most, ledger.bytes());
  }
  EXPECT_LE(most, 24U << 10);
}

TEST(Ledger, ReadsABlockOncePerEdgeAsTimeGoesOn) {
  Disk disk;
  Ledger ledger({}, 2, kMonth, disk.reader());
  for (std::int64_t m = kStart; m < kStart + 10 * kBlockMinutes; ++m) ledger.add(m, 0, kOne);
  disk.save(ledger);
  disk.reads = 0;
  const auto now = kStart + 10 * kBlockMinutes;
  for (std::int64_t m = now; m < now + kBlockMinutes; ++m) {
    ledger.add(m, 0, kOne);
    ledger.before(0, m + 1);
    ledger.before(1, m + 1 - 5 * kBlockMinutes);
  }
  EXPECT_LE(disk.reads, 2);
}

TEST(Ledger, CorrectsALateMinuteInEveryWindow) {
  Disk disk;
  Ledger ledger({}, 3, kMonth, disk.reader());
  Plain plain;
  const auto now = kStart + 8 * kBlockMinutes;
  for (std::int64_t m = kStart; m < now; ++m) {
    ledger.add(m, 0, 10 * kOne);
    plain.cells[m] = {.total = 10 * kOne};
  }
  disk.save(ledger);
  const auto windows = {std::int64_t{60}, 6 * kBlockMinutes + 50};
  const auto compare = [&] {
    std::size_t edge = 1;
    for (const auto w : windows) {
      EXPECT_EQ(ledger.before(0, now) - ledger.before(edge, now - w), plain.between(now - w, now)) << w;
      ++edge;
    }
  };
  compare();
  // In an open block, in closed ones, right at and around the long window's edge, and before all windows.
  const auto edge = now - 6 * kBlockMinutes - 50;
  for (const auto late : {now - 1, now - 61, now - 60, now - 3 * kBlockMinutes, edge, edge - 1, edge + 1, kStart}) {
    ASSERT_TRUE(ledger.add(late, 3 * kOne, 7 * kOne));
    plain.cells[late].bad += 3 * kOne;
    plain.cells[late].total += 7 * kOne;
    compare();
  }
}

TEST(Ledger, CorrectsRandomlyLikeThePlainWay) {
  for (const Counting counting :
       {Counting{}, Counting{Budgeting::timeslices, 5, 0.9}, Counting{Budgeting::ratio_timeslices, 15, 1}}) {
    Disk disk;
    Ledger ledger(counting, 4, 3'000, disk.reader());
    Plain plain{counting, {}};
    std::mt19937 random(11);
    auto now = kStart;
    ledger.add(now, 0, 0);
    for (int i = 0; i < 4'000; ++i) {
      now += static_cast<std::int64_t>(random() % 4);
      const auto minute = now - static_cast<std::int64_t>(random() % 4 == 0 ? random() % 2'500 : random() % 3);
      const auto total = static_cast<Amount>(random() % 50) * kOne;
      const auto bad = random() % 3 == 0 ? total / 2 : 0;
      ASSERT_TRUE(ledger.add(minute, bad, total));
      plain.cells[minute].bad += bad;
      plain.cells[minute].total += total;
      if (random() % 30 == 0) {
        ASSERT_TRUE(ledger.mark(minute, random() % 2 == 0 ? Cell::kExcluded : Cell::kDown));
        plain.cells[minute].flags = ledger.cell(minute).flags;
      }
      if (random() % 9 == 0) disk.save(ledger);
      const auto end = now + 60 - now % 60;
      std::size_t edge = 1;
      for (const std::int64_t w : {60, 600, 2'400}) {
        ASSERT_EQ(ledger.before(0, end) - ledger.before(edge, end - w), plain.between(end - w, end)) << i << " " << w;
        ++edge;
      }
    }
  }
}

TEST(Ledger, TellsTheSameAfterARestart) {
  Disk disk;
  Ledger before({}, 3, kMonth, disk.reader());
  std::mt19937 random(5);
  const auto now = kStart + 5 * kBlockMinutes + 70;
  for (auto m = kStart; m < now; ++m)
    if (m % 400 > 20) before.add(m, static_cast<Amount>(random() % 2) * kOne, 5 * kOne);
  before.mark(now - 300, Cell::kExcluded);
  disk.save(before);
  Ledger after({}, 3, kMonth, disk.reader());
  EXPECT_EQ(after.restore(disk.all()), 0U);
  for (const std::int64_t w : {1, 5, 60, 300, 700, 969})
    EXPECT_EQ(after.before(0, now) - after.before(1, now - w), before.before(0, now) - before.before(1, now - w)) << w;
  EXPECT_EQ(after.born(), before.born());
  EXPECT_EQ(after.last_known(), before.last_known());
  // And goes on alike.
  for (auto* ledger : {&before, &after}) ledger->add(now + 400, kOne, 5 * kOne);
  EXPECT_EQ(after.between(kStart, now + 401), before.between(kStart, now + 401));
}

TEST(Ledger, CountsADamagedBlockAsEmptyAndSaysSo) {
  Disk disk;
  Ledger before({}, 2, kMonth, disk.reader());
  for (auto m = kStart; m < kStart + 4 * kBlockMinutes; ++m) before.add(m, 0, kOne);
  disk.save(before);
  disk.blocks.begin()->second[9] ^= 1;
  Ledger after({}, 2, kMonth, disk.reader());
  EXPECT_EQ(after.restore(disk.all()), 1U);
  EXPECT_EQ(after.between(kStart, kStart + 4 * kBlockMinutes).known, 3 * kBlockMinutes);
}

TEST(Ledger, BeginsAWindowAtTheBorderWhenABlockCannotBeRead) {
  Disk disk;
  Ledger ledger({}, 2, kMonth, disk.reader());
  const auto now = kStart + 6 * kBlockMinutes;
  for (auto m = kStart; m < now; ++m) ledger.add(m, 0, kOne);
  disk.save(ledger);
  disk.broken = true;
  const auto sums = ledger.before(0, now) - ledger.before(1, kStart + kBlockMinutes + 100);
  EXPECT_EQ(sums.known, 5 * kBlockMinutes);
  EXPECT_EQ(ledger.read_failures(), 1U);
  EXPECT_FALSE(ledger.add(kStart + 5, 0, kOne)) << "what cannot be read cannot be corrected";
  disk.broken = false;
  EXPECT_EQ((ledger.before(0, now) - ledger.before(1, kStart + kBlockMinutes + 100)).known, 5 * kBlockMinutes - 100);
}

TEST(Ledger, HandsOutAgainWhatWasNotSaved) {
  Disk disk;
  Ledger ledger({}, 2, kMonth, disk.reader());
  ledger.add(kStart, 0, kOne);
  ASSERT_EQ(ledger.take_changed().size(), 1U);
  ledger.add(kStart + 1, 0, kOne);
  ledger.not_saved();
  const auto again = ledger.take_changed();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(decode_block(again[0].bytes)[1].total, kOne);
  ledger.saved();
  EXPECT_TRUE(ledger.take_changed().empty());
}

TEST(Ledger, RefusesMinutesItDoesNotKeep) {
  Ledger ledger({}, 2, 1'000, nullptr);
  ledger.add(kStart, 0, kOne);
  EXPECT_TRUE(ledger.add(kStart - 900, 0, kOne));
  EXPECT_FALSE(ledger.add(kStart - 5'000, 0, kOne));
}

TEST(Ledger, SurvivesAGapOfYears) {
  Ledger ledger({}, 2, 1'000, nullptr);
  ledger.add(kStart, 0, kOne);
  const auto later = kStart + 10 * 525'600;
  ASSERT_TRUE(ledger.add(later, kOne, kOne));
  EXPECT_EQ((ledger.before(0, later + 1) - ledger.before(1, later - 900)), (Sums{kOne, kOne, 1, 0, 0}));
}

TEST(Ledger, FollowsTimeThatGoesBackwards) {
  Ledger ledger({}, 2, 1'000, nullptr);
  for (auto m = kStart; m < kStart + 500; ++m) ledger.add(m, 0, kOne);
  const auto window = [&](std::int64_t now) { return ledger.before(0, now) - ledger.before(1, now - 60); };
  EXPECT_EQ(window(kStart + 500).known, 60);
  EXPECT_EQ(window(kStart + 30).known, 30);
  EXPECT_EQ(window(kStart + 400).known, 60);
}

TEST(Ledger, KeepsWhatItKnowsWhenItIsToCountOtherwise) {
  Disk disk;
  Ledger ledger({}, 2, kMonth, disk.reader());
  const auto end = kStart + 4 * kBlockMinutes;
  for (auto m = kStart; m < end; ++m) ledger.add(m, m % 10 == 0 ? kOne : 0, kOne);
  disk.save(ledger);
  ledger.reshape({Budgeting::timeslices, 10, 0.95}, 5, kMonth);
  const auto sums = ledger.before(0, end) - ledger.before(4, kStart);
  EXPECT_EQ(sums.bad, sums.total) << "one bad minute of ten is below 95%";
  EXPECT_EQ(sums.total, 4 * kBlockMinutes * kOne);
  ledger.reshape({}, 5, kMonth);
  EXPECT_EQ((ledger.before(0, end) - ledger.before(4, kStart)).bad, 4 * kBlockMinutes / 10 * kOne);
}

TEST(Ledger, LeavesExcludedMinutesWhenItIsWiped) {
  Ledger ledger({}, 2, kMonth, nullptr);
  ledger.add(kStart, kOne, kOne);
  ledger.add(kStart + 1, kOne, kOne);
  ledger.mark(kStart + 1, Cell::kExcluded);
  ASSERT_TRUE(ledger.wipe(kStart, kStart + 10));
  EXPECT_EQ(ledger.between(kStart, kStart + 10), (Sums{0, 0, 0, 1, 0}));
}

TEST(Ledger, LetsGoodEventsComeBeforeTheirTotal) {
  Ledger ledger({}, 2, kMonth, nullptr);
  ledger.add(kStart, -100 * kOne, 0);
  ledger.add(kStart + 1, 100 * kOne, 100 * kOne);
  EXPECT_EQ(ledger.between(kStart, kStart + 2), (Sums{0, 100 * kOne, 1, 0, 0}));
}

}  // namespace
}  // namespace ward::collector::slo
