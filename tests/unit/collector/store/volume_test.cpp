// The reserve that lets the page about a full disk out, and who may have it.
#include "collector/store/volume/volume.hpp"

#include <gmock/gmock.h>

#include "collector/store/volume/reserved_state.hpp"
#include "tests/support/processes.hpp"

namespace ward::collector {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;

/// A volume in memory.
class FakeVolume final : public VolumeFace {
 public:
  struct State {
    std::uint64_t free = 0, size = 0, reserve = 0;
  };
  explicit FakeVolume(State* state) : state_(state) {}
  Result<Space> space() override { return Space{state_->free, state_->size}; }
  Status take(std::uint64_t bytes) override {
    if (bytes > state_->free) return fail(Errc::full, "no room", "");
    state_->free -= bytes;
    state_->reserve = bytes;
    return {};
  }
  void give_back() override { state_->free += std::exchange(state_->reserve, 0); }
  bool taken() override { return state_->reserve > 0; }

 private:
  State* state_;
};

/// A state store on that volume: each commit takes so many bytes.
class FakeState final : public StateStore {
 public:
  explicit FakeState(FakeVolume::State* volume) : volume_(volume) {}
  Status commit(const StateChange&) override {
    if (error) return fail(*error);
    if (volume_->free < cost) return fail(Errc::full, "SQLite file 'state.db': database or disk is full", "");
    volume_->free -= cost;
    ++commits;
    return {};
  }
  Result<LoadedState> load(Time) override { return LoadedState{}; }
  std::uint64_t cost = 4'096;
  int commits = 0;
  std::optional<Error> error;

 private:
  FakeVolume::State* volume_;
};

class Reserve : public testing::Test {
 protected:
  FakeVolume::State disk_{1'024 * kMiB, 4'096 * kMiB, 0};
  DataVolume volume_{"/data", std::make_unique<FakeVolume>(&disk_)};
  FakeState inner_{&disk_};
  ReservedStateStore state_{inner_, volume_};
};

TEST_F(Reserve, IsASixtyFourthOfTheVolumeWithinBounds) {
  ASSERT_TRUE(volume_.hold());
  EXPECT_EQ(disk_.reserve, 8 * kMiB);
  volume_.give_up();
  disk_.size = 64 * kMiB;
  ASSERT_TRUE(volume_.hold());
  EXPECT_EQ(disk_.reserve, 1 * kMiB);
  volume_.give_up();
  disk_.size = 4 * kMiB;
  ASSERT_TRUE(volume_.hold());
  EXPECT_EQ(disk_.reserve, 256U << 10);
}

TEST_F(Reserve, IsGivenUpForTheStateAndNotForTheJournal) {
  ASSERT_TRUE(volume_.hold());
  disk_.free = 0;
  EXPECT_TRUE(volume_.may_write());  // while it is held the journal may try: its own error says that the disk is full
  ASSERT_TRUE(state_.commit({}));
  EXPECT_EQ(inner_.commits, 1);
  EXPECT_FALSE(volume_.held());
  const auto may = volume_.may_write();
  ASSERT_FALSE(may);
  EXPECT_EQ(may.error().code, Errc::full);
  EXPECT_THAT(may.error().what, HasSubstr("data_dir '/data': no space left on device"));
  EXPECT_GT(disk_.free, 7 * kMiB);  // nobody but the state has taken of it
}

TEST_F(Reserve, IsTakenAgainWhenThereIsRoomForItAndMore) {
  ASSERT_TRUE(volume_.hold());
  volume_.give_up();
  disk_.free = 8 * kMiB + kMiB / 2;
  EXPECT_FALSE(volume_.may_write());
  disk_.free = 9 * kMiB;
  EXPECT_TRUE(volume_.may_write());
  EXPECT_TRUE(volume_.held());
}

TEST_F(Reserve, OfAFormerProcessIsOurs) {
  disk_.reserve = 8 * kMiB;
  disk_.free = 0;
  volume_.adopt();
  EXPECT_TRUE(volume_.held());
  EXPECT_TRUE(state_.commit({}));
}

TEST_F(Reserve, DoesNotHelpASecondTimeAndTheErrorNamesThePathAndTheSpace) {
  ASSERT_TRUE(volume_.hold());
  disk_.free = 0;
  ASSERT_TRUE(state_.commit({}));
  disk_.free = 100;  // somebody else has filled it
  const auto refused = state_.commit({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_THAT(refused.error().what, HasSubstr("data_dir '/data': no space left on device, free space 100 B of 4.0 GiB"));
  EXPECT_FALSE(refused.error().fix.empty());
}

TEST_F(Reserve, IsNotSpentOnOtherErrors) {
  ASSERT_TRUE(volume_.hold());
  inner_.error = Error{Errc::unavailable, "disk I/O error", "Check the disk."};
  const auto refused = state_.commit({});
  EXPECT_EQ(refused.error().what, "disk I/O error");
  EXPECT_TRUE(volume_.held());
}

TEST_F(Reserve, TellsACapFromAFullVolume) {
  ASSERT_TRUE(volume_.hold());
  const auto why = volume_.explain({Errc::full, "SQLite file '/data/journal.db': database or disk is full", ""});
  EXPECT_THAT(why.what, HasSubstr("journal.db"));
  EXPECT_THAT(why.what, HasSubstr("free space 1016.0 MiB"));
  EXPECT_THAT(why.fix, HasSubstr("max_journal_size"));
}

TEST(RealVolume, TakesRoomThatIsReallyTakenAndGivesItBack) {
  test::TempDir dir{"volume"};
  const auto volume = real_volume(dir.path().string());
  EXPECT_FALSE(volume->taken());
  ASSERT_TRUE(volume->take(kMiB));
  EXPECT_TRUE(volume->taken());
  EXPECT_EQ(std::filesystem::file_size(dir / "reserve"), kMiB);
  EXPECT_GT(volume->space().value().size, 0U);
  volume->give_back();
  EXPECT_FALSE(volume->taken());
}

TEST(RealVolume, SaysWhichFolderIsMissing) {
  const auto volume = real_volume("/nowhere/at/all");
  EXPECT_THAT(volume->space().error().what, HasSubstr("/nowhere/at/all"));
  EXPECT_EQ(volume->take(1).error().code, Errc::unavailable);
}

TEST(PrintBytes, ReadsWell) {
  EXPECT_EQ(print_bytes(0), "0 B");
  EXPECT_EQ(print_bytes(1'023), "1023 B");
  EXPECT_EQ(print_bytes(1'536), "1.5 KiB");
  EXPECT_EQ(print_bytes(8 * kMiB), "8.0 MiB");
  EXPECT_EQ(print_bytes(std::uint64_t{3} << 40), "3.0 TiB");
}

}  // namespace
}  // namespace ward::collector
