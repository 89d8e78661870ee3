#include "agent/spool/tail_log.hpp"

#include <fstream>
#include <gmock/gmock.h>

#include "tests/support/processes.hpp"

namespace ward::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TailLogFile : public testing::Test {
 protected:
  TailLog open() { return std::move(TailLog::open("", path_).value()); }
  static TailLog::Counted record(std::uint64_t seq, std::size_t samples) {
    return {Sequence{seq}, samples, from_ms(1'000 * static_cast<std::int64_t>(seq)), from_ms(1'500)};
  }
  static TailLog::Stream stream(std::uint8_t incarnation, const std::string& tenant = "clinic-a") {
    TailLog::Stream out{TenantId{tenant}, {}, 7};
    out.incarnation.bytes[15] = incarnation;
    return out;
  }
  void flip(std::streamoff at) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
  }
  test::TempDir dir_{"tail-log"};
  std::string path_ = dir_ / "spool.db.tail";
};

TEST_F(TailLogFile, RemembersRunsOfSeveralStreams) {
  {
    auto log = open();
    EXPECT_THAT(log.runs(), IsEmpty());
    ASSERT_TRUE(log.add(stream(1), record(5, 10)));
    ASSERT_TRUE(log.add(stream(2, "clinic-b"), record(1, 4096)));
    ASSERT_TRUE(log.add(stream(1), record(6, 0)));
  }
  const TailLog::Run first{stream(1), Sequence{5}, {10, 0}, from_ms(1'500), from_ms(1'500)};
  const auto log = open();
  ASSERT_EQ(log.runs().size(), 2U);
  EXPECT_EQ(log.runs()[0].stream, stream(1));
  EXPECT_EQ(log.runs()[0].first, Sequence{5});
  EXPECT_THAT(log.runs()[0].counts, ElementsAre(10, 0));
  EXPECT_EQ(log.runs()[0].t_min, from_ms(5'000));
  EXPECT_EQ(log.runs()[1].stream, stream(2, "clinic-b"));
  EXPECT_THAT(log.runs()[1].counts, ElementsAre(4096));
}

TEST_F(TailLogFile, HasItsWholeSizeFromTheStart) {
  auto log = open();
  EXPECT_EQ(std::filesystem::file_size(path_), TailLog::kBlocks * TailLog::kBlockBytes);
  for (std::uint64_t i = 1; i <= 5'000; ++i) ASSERT_TRUE(log.add(stream(1), record(i, i)));
  EXPECT_EQ(std::filesystem::file_size(path_), TailLog::kBlocks * TailLog::kBlockBytes);
}

TEST_F(TailLogFile, GoesOnAfterARestart) {
  {
    auto log = open();
    ASSERT_TRUE(log.add(stream(1), record(1, 1)));
  }
  {
    auto log = open();
    ASSERT_TRUE(log.add(stream(2), record(1, 2)));
  }
  EXPECT_EQ(open().runs().size(), 2U);
}

TEST_F(TailLogFile, ForgetsWhatItIsTold) {
  {
    auto log = open();
    for (std::uint64_t i = 1; i <= 1'000; ++i) ASSERT_TRUE(log.add(stream(1), record(i, 1)));
    ASSERT_TRUE(log.clear());
    EXPECT_THAT(log.runs(), IsEmpty());
  }
  EXPECT_THAT(open().runs(), IsEmpty());
}

TEST_F(TailLogFile, ADamagedBlockIsLeftOutAndTheOthersStay) {
  {
    auto log = open();
    for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(log.add(stream(i), record(1, i)));
  }
  flip(static_cast<std::streamoff>(TailLog::kBlockBytes) + 40);
  const auto log = open();
  ASSERT_EQ(log.runs().size(), 2U);
  EXPECT_EQ(log.runs()[1].stream, stream(3));
}

TEST_F(TailLogFile, AFileThatIsTooShortIsMadeWhole) {
  {
    auto log = open();
    ASSERT_TRUE(log.add(stream(1), record(1, 1)));
  }
  std::filesystem::resize_file(path_, TailLog::kBlockBytes + 100);
  EXPECT_EQ(open().runs().size(), 1U);
  EXPECT_EQ(std::filesystem::file_size(path_), TailLog::kBlocks * TailLog::kBlockBytes);
}

TEST_F(TailLogFile, SaysWhenItIsFull) {
  auto log = open();
  for (std::size_t i = 0; i < TailLog::kBlocks; ++i) ASSERT_TRUE(log.add(stream(1), record(1 + 2 * i, 1)));
  const auto refused = log.add(stream(1), record(9'999, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
}

}  // namespace
}  // namespace ward::agent
