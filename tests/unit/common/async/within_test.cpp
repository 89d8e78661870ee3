#include "common/async/within.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gtest/gtest.h>
#include <memory>

#include "tests/unit/common/async/loop.hpp"

namespace ward::async {
namespace {

constexpr std::chrono::hours kNever{1'000};

/// Tells when it is destroyed, so that a test sees an operation end.
struct Witness {
  explicit Witness(bool& ended) : ended_(&ended) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { *ended_ = true; }
  bool* ended_;
};

Task<int> answer(int value) { co_return value; }

Task<std::unique_ptr<int>> answer_later(int value) {
  co_await sleep_for(std::chrono::milliseconds{1});
  co_return std::make_unique<int>(value);
}

Task<int> wait_for_ever(bool& ended) {
  const Witness witness{ended};
  co_await sleep_for(kNever);
  co_return 1;
}

Task<int> broken() {
  throw std::runtime_error("broken");
  co_return 0;
}

Task<int> breaks_later() {
  co_await sleep_for(std::chrono::milliseconds{1});
  throw std::runtime_error("broken later");
}

Task<int> refuses_to_be_cancelled(bool& ended) {
  try {
    co_await sleep_for(kNever);
  } catch (const boost::system::system_error&) {
    ended = true;
  }
  co_return 5;
}

TEST(Within, GivesTheResultOfWhatEndsInTime) {
  asio::io_context io;
  std::optional<int> now;
  std::optional<std::unique_ptr<int>> later;
  auto body = [&]() -> Task<void> {
    now = co_await within(kNever, answer(7));
    later = co_await within(kNever, answer_later(8));
  };
  run(io, body());
  EXPECT_EQ(now, 7);
  ASSERT_TRUE(later && *later);
  EXPECT_EQ(**later, 8);
}

TEST(Within, CancelsWhatDoesNotEndInTime) {
  asio::io_context io;
  bool ended = false;
  std::optional<int> got = 1;
  auto body = [&]() -> Task<void> {
    got = co_await within(std::chrono::milliseconds{1}, wait_for_ever(ended));
    EXPECT_TRUE(ended) << "the operation is over when within() returns";
  };
  run(io, body());
  EXPECT_FALSE(got);
}

TEST(Within, AnOperationThatEndsByItsCancellationIsStillLate) {
  asio::io_context io;
  bool ended = false;
  std::optional<int> got = 1;
  auto body = [&]() -> Task<void> { got = co_await within(std::chrono::milliseconds{1}, refuses_to_be_cancelled(ended)); };
  run(io, body());
  EXPECT_TRUE(ended);
  EXPECT_FALSE(got);
}

TEST(Within, AnExceptionComesAtOnce) {
  asio::io_context io;
  auto at_once = [&]() -> Task<void> { (void)co_await within(kNever, broken()); };
  auto later = [&]() -> Task<void> { (void)co_await within(kNever, breaks_later()); };
  EXPECT_THROW(run(io, at_once()), std::runtime_error);
  EXPECT_THROW(run(io, later()), std::runtime_error);
}

TEST(Within, CancellationFromOutsideReachesTheOperation) {
  asio::io_context io;
  asio::cancellation_signal cancel;
  bool ended = false, returned = false;
  std::exception_ptr error;
  auto body = [&]() -> Task<void> {
    (void)co_await within(kNever, wait_for_ever(ended));
    returned = true;
  };
  asio::co_spawn(io, body(), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { error = e; }));
  settle(io);
  cancel.emit(asio::cancellation_type::all);
  settle(io);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(returned);
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), boost::system::system_error);
}

TEST(Within, TheInnerLimitOfTwoEndsOnlyTheInner) {
  asio::io_context io;
  bool ended = false;
  std::optional<std::optional<int>> got;
  auto body = [&]() -> Task<void> {
    auto inner = within(std::chrono::milliseconds{1}, wait_for_ever(ended));
    got = co_await within(kNever, std::move(inner));
  };
  run(io, body());
  ASSERT_TRUE(got);
  EXPECT_FALSE(*got);
}

}  // namespace
}  // namespace ward::async
