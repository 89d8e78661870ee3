// Rows 1, 2, 4, 7 and 9 of the fault table for the spool: one story of an agent, ended at each of its writes and syncs, by a
// kill or a power loss, or disturbed there by a disk that fills up or fails to sync. Whatever happened, the next life finds
// every record it must, none twice, and a gap with the exact count where one is missing.
#include <functional>
#include <gtest/gtest.h>
#include <map>

#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using test::accounted;
using test::batch_of;
using test::SpoolBed;
using test::words;

/// What the agent knows it did.
struct Truth {
  struct Made {
    std::size_t samples = 0;
    bool returned = false;  ///< append() came back, so that a kill may not lose it
    bool forced = false;    ///< and a power loss may not either
  };
  std::map<Incarnation, std::map<std::uint64_t, Made>> streams;
  std::map<Incarnation, std::uint64_t> acknowledged;  ///< by both collectors

  void force_all() {
    for (auto& [incarnation, records] : streams)
      for (auto& [seq, made] : records) made.forced = made.returned;
  }
};

/// The story. Records of 1, 2, 3 ... samples, some page-relevant; acknowledgements, trims, a second stream.
class Agent {
 public:
  Agent(SpoolBed& bed, Truth& truth) : bed_(bed), truth_(truth) {}

  void live() {
    if (!begin()) return;
    for (std::size_t i = 1; i <= 14 && alive(); ++i) {
      append(i, i % 4 == 0 ? DataClass::page : DataClass::raw);
      if (i == 5) acknowledge(3);
      if (i % 3 == 0 && alive()) maintain();
      if (i == 8 && alive()) bed_.spool->start_new_streams();
      if (i == 12) acknowledge(2);
    }
    if (alive()) maintain();
  }
  [[nodiscard]] bool alive() const { return !bed_.disk.crashed(); }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  bool begin() {
    bed_.disk.bury();
    auto opened = Spool::open(bed_.options, bed_.random);
    if (!opened) return false;
    bed_.spool = std::move(*opened);
    complete_ = true;
    return alive();
  }
  void append(std::size_t samples, DataClass data_class) {
    const auto stream = bed_.stream();
    auto& made = truth_.streams[stream.incarnation][stream.next.get()];
    made.samples = samples;
    bed_.spool->append(batch_of(samples, data_class));
    made.returned = alive();
    if (alive() && data_class == DataClass::page && !bed_.spool->trouble()) truth_.force_all();
  }
  void maintain() {
    bed_.spool->maintain();
    if (alive() && !bed_.spool->trouble()) truth_.force_all();
  }
  void acknowledge(std::uint64_t through) {
    if (!alive()) return;
    const auto stream = bed_.stream();
    for (const auto* collector : {"c1", "c2"}) bed_.acknowledge(stream, through, collector);
    truth_.acknowledged[stream.incarnation] = through;
  }
  SpoolBed& bed_;
  Truth& truth_;
  bool complete_ = false;
};

enum class End { kill, power_loss };

/// What the next life must find.
void check(SpoolBed& bed, const Truth& truth, End end, const std::string& where) {
  SCOPED_TRACE(where);
  std::map<Incarnation, wire::HelloStream> found;
  for (const auto& stream : bed.spool->source("c1").streams()) found.emplace(stream.incarnation, stream);
  for (const auto& [incarnation, records] : truth.streams) {
    const auto acknowledged = truth.acknowledged.contains(incarnation) ? truth.acknowledged.at(incarnation) : 0;
    const auto at = found.find(incarnation);
    const auto items = at == found.end() ? std::vector<wire::RecordSource::Item>{} : bed.items(at->second);
    const auto base = at == found.end() ? acknowledged + 1 : at->second.base.get();
    EXPECT_LE(base, acknowledged + 1) << "trimmed what nobody acknowledged";
    std::map<std::uint64_t, std::size_t> there;
    auto expected = base;
    for (const auto& item : items) {
      const auto* gap = std::get_if<Gap>(&item);
      const auto first = gap != nullptr ? gap->from.get() : std::get<wire::Record>(item).seq.get();
      EXPECT_EQ(first, expected) << "a hole or a record twice: " << words(items);
      expected = (gap != nullptr ? gap->to.get() : first) + 1;
      if (gap == nullptr) there[first] = std::get<wire::Record>(item).samples.size();
    }
    std::uint64_t sampled = 0;
    for (const auto& [seq, made] : records) {
      const bool must_be_known = end == End::kill ? made.returned : made.forced;
      if (must_be_known && seq > acknowledged) {
        EXPECT_LT(seq, expected) << "record " << seq << " is neither there nor a gap";
      }
      if (there.contains(seq)) {
        EXPECT_EQ(there[seq], made.samples);
      }
      if (seq < expected) sampled += made.samples;
    }
    if (at != found.end()) {
      EXPECT_EQ(accounted(at->second, items), sampled) << words(items);
    }
  }
}

/// And that it works.
void check_works(SpoolBed& bed) {
  bed.disk.set_full(false);
  bed.spool->append(batch_of(7, DataClass::page));
  bed.spool->maintain();
  EXPECT_FALSE(bed.spool->trouble());
  EXPECT_EQ(words(bed.items(bed.stream())), "1:7");
}

void end_of_life(SpoolBed& bed, End end) {
  bed.kill();
  if (end == End::power_loss) bed.disk.power_loss();
}

class SpoolFault : public testing::TestWithParam<End> {
 protected:
  static std::unique_ptr<SpoolBed> bed(std::uint64_t seed) {
    auto out = std::make_unique<SpoolBed>(std::vector<std::string>{"c1", "c2"}, seed);
    out->options.checkpoint_pages = 8;  // so that checkpoints fall into the story
    return out;
  }
};

TEST_P(SpoolFault, EndedAtEachWriteAndSync) {
  std::uint64_t n = 1;
  for (bool crashed = true; crashed; ++n) {
    const auto spool = bed(n);
    Truth truth;
    spool->disk.crash_after(n);
    Agent agent(*spool, truth);
    agent.live();
    crashed = spool->disk.crashed();
    end_of_life(*spool, GetParam());
    spool->start();
    check(*spool, truth, GetParam(), "at operation " + std::to_string(n));
    check_works(*spool);
  }
  EXPECT_GT(n, 60U) << "the story has too few writes to prove anything";
}

TEST_P(SpoolFault, EndedAgainAtEachWriteOfTheRecovery) {
  for (std::uint64_t n = 5; n < 100; n += 9) {
    std::uint64_t m = 1;
    for (bool crashed = true; crashed; ++m) {
      const auto spool = bed(n);
      Truth truth;
      spool->disk.crash_after(n);
      Agent(*spool, truth).live();
      end_of_life(*spool, GetParam());
      spool->disk.crash_after(m);
      spool->disk.bury();
      auto opened = Spool::open(spool->options, spool->random);
      crashed = spool->disk.crashed();
      if (opened) spool->spool = std::move(*opened);
      end_of_life(*spool, GetParam());
      spool->start();
      check(*spool, truth, GetParam(), "at " + std::to_string(n) + ", then at " + std::to_string(m));
      check_works(*spool);
    }
  }
}

TEST_P(SpoolFault, ASyncFailsAtEachPlace) {
  std::uint64_t n = 1;
  for (bool failed = true; failed; ++n) {
    const auto spool = bed(n);
    Truth truth;
    spool->disk.fail_sync_after(n);
    Agent agent(*spool, truth);
    agent.live();
    failed = spool->disk.sync_failed();
    spool->disk.fail_sync_after(0);
    if (agent.complete()) {
      spool->spool->maintain();  // opens the file again where it had to be closed
      EXPECT_FALSE(spool->spool->trouble()) << n;
      truth.force_all();
    }
    end_of_life(*spool, GetParam());
    spool->start();
    check(*spool, truth, GetParam(), "sync " + std::to_string(n));
    check_works(*spool);
  }
  EXPECT_GT(n, 10U);
}

TEST_P(SpoolFault, TheDiskFillsUpAtEachPlace) {
  std::uint64_t n = 1;
  for (bool full = true; full; ++n) {
    const auto spool = bed(n);
    Truth truth;
    spool->disk.fill_after(n);
    Agent agent(*spool, truth);
    agent.live();
    full = spool->disk.full();
    // A first start for which there is not even room for the notes is the only one that may lose count.
    const bool notes = spool->disk.size("spool.db.tail") == TailLog::kBlocks * TailLog::kBlockBytes;
    if (notes) truth.force_all();
    end_of_life(*spool, GetParam());
    spool->start();  // on the full disk
    spool->disk.set_full(false);
    spool->spool->maintain();
    if (notes) check(*spool, truth, GetParam(), "growth " + std::to_string(n));
    check_works(*spool);
  }
  EXPECT_GT(n, 20U);
}

TEST_P(SpoolFault, TwentyRestartsOnAFullDiskAreNoLoop) {
  const auto spool = bed(1);
  Truth truth;
  Agent(*spool, truth).live();
  spool->disk.set_full(true);
  for (int life = 0; life < 20; ++life) {
    end_of_life(*spool, GetParam());
    spool->start();
    const auto stream = spool->stream();
    truth.streams[stream.incarnation][1] = {5, true, true};
    spool->spool->append(batch_of(5));
    spool->spool->maintain();
  }
  spool->kill();
  spool->disk.set_full(false);
  spool->start().maintain();
  check(*spool, truth, GetParam(), "after twenty lives");
}

INSTANTIATE_TEST_SUITE_P(All, SpoolFault, testing::Values(End::kill, End::power_loss),
                         [](const auto& end) { return end.param == End::kill ? "Kill" : "PowerLoss"; });

TEST(SpoolFiles, MissingOrForeignOnesAreNoReasonNotToStart) {
  SpoolBed bed;
  bed.start().append(batch_of(3));
  bed.kill();
  bed.disk.wipe();
  bed.start().append(batch_of(4));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:4");
  EXPECT_FALSE(bed.has_old_stream());
}

}  // namespace
}  // namespace ward::agent
