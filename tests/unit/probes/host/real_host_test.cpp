#include "probes/host/real_host.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "common/http/client.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::test {
namespace {

class NoHttp final : public http::Client {
  async::Task<tl::expected<http::Response, http::Failure>> send(http::Request) override {
    throw std::logic_error("no request expected");
  }
};

class RealHostTest : public ::testing::Test {
 protected:
  RealHostTest() { options_.root = root_; }

  probes::RealHost host() { return probes::RealHost(clock_, random_, pool_, http_, options_); }
  Result<probes::FsStats> fs_stats(probes::RealHost& host, std::string mount) {
    auto done = boost::asio::co_spawn(io_, host.fs_stats(std::move(mount)), boost::asio::use_future);
    io_.restart();
    io_.run();
    return done.get();
  }

  const TempDir temp_{"real-host"};
  const std::string root_ = temp_.string();
  ManualClock clock_;
  SeededRandom random_;
  NoHttp http_;
  boost::asio::io_context io_;  // outlives the pool: a late worker still posts to it
  async::BlockingPool pool_;
  probes::RealHost::Options options_;
};

TEST_F(RealHostTest, ReadsListsAndFollowsBelowItsRoot) {
  std::filesystem::create_directories(root_ + "/proc/7");
  std::ofstream(root_ + "/proc/stat") << std::string(100'000, 'x');
  std::filesystem::create_symlink("socket:[12]", root_ + "/proc/7/3");
  auto real = host();
  EXPECT_EQ(real.read_file("/proc/stat")->size(), 100'000U);
  EXPECT_EQ(real.read_link("/proc/7/3"), "socket:[12]");
  const auto names = real.list_dir("/proc");
  ASSERT_TRUE(names);
  EXPECT_EQ(std::set<std::string>(names->begin(), names->end()), (std::set<std::string>{"7", "stat"}));
}

TEST_F(RealHostTest, TellsWhatIsNotThere) {
  auto real = host();
  EXPECT_EQ(real.read_file("/nothing").error().code, Errc::not_found);
  EXPECT_EQ(real.list_dir("/nothing").error().code, Errc::not_found);
  EXPECT_EQ(real.read_link("/nothing").error().code, Errc::not_found);
  EXPECT_EQ(real.read_file("/nothing").error().what, "/nothing: No such file or directory");
}

TEST_F(RealHostTest, RefusesFilesLargerThanTheCap) {
  std::ofstream(root_ + "/endless").seekp((8 << 20) + 1).put('x');
  auto real = host();
  EXPECT_EQ(real.read_file("/endless").error().code, Errc::full);
}

TEST_F(RealHostTest, AsksTheMountBelowItsRoot) {
  std::filesystem::create_directories(root_ + "/data");
  auto real = host();
  const auto got = fs_stats(real, "/data");
  ASSERT_TRUE(got);
  EXPECT_GT(got->size_bytes, 0U);
  EXPECT_EQ(fs_stats(real, "/missing").error().code, Errc::not_found);
}

TEST_F(RealHostTest, GivesUpOnAHungMountAndDoesNotAskItAgain) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> asked = 0;
  options_.mount_deadline = std::chrono::milliseconds{50};
  options_.hanging_deadline = std::chrono::seconds{60};  // the other mount answers, however busy the machine is
  options_.ask_mount = [&](const std::string& path) -> Result<probes::FsStats> {
    if (path.ends_with("/nfs") && asked++ == 0) released.wait();
    return probes::FsStats{.size_bytes = 7};
  };
  auto real = host();
  EXPECT_EQ(fs_stats(real, "/nfs").error().code, Errc::timed_out);
  EXPECT_EQ(fs_stats(real, "/nfs").error().code, Errc::timed_out);
  EXPECT_EQ(asked, 1);
  const auto data = fs_stats(real, "/data");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size_bytes, 7U);
  release.set_value();
  // It answers: the next call that finds its worker free asks again.
  Result<probes::FsStats> again = fs_stats(real, "/nfs");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!again && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    again = fs_stats(real, "/nfs");
  }
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size_bytes, 7U);
}

}  // namespace
}  // namespace ward::test
