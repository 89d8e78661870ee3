#include "common/async/channel.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <memory>
#include <vector>

#include "tests/unit/common/async/loop.hpp"

namespace ward::async {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class T>
Task<void> drain(Channel<T>& channel, std::vector<T>& out, bool& ended) {
  while (true) {
    auto item = co_await channel.pop();
    if (!item) break;
    out.push_back(std::move(*item));
  }
  ended = true;
}

struct Reader {
  std::vector<int> got;
  bool ended = false;
};

TEST(Channel, GivesItemsInOrderAndEndsWhenClosedAndEmpty) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 4, Overflow::refuse_newest};
  for (const int i : {1, 2, 3}) EXPECT_TRUE(channel.push(i));
  channel.close();
  EXPECT_FALSE(channel.push(4)) << "closed";
  Reader reader;
  run(io, drain(channel, reader.got, reader.ended));
  EXPECT_THAT(reader.got, ElementsAre(1, 2, 3));
  EXPECT_TRUE(reader.ended);
}

TEST(Channel, AFullOneRefusesTheNewest) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 2, Overflow::refuse_newest};
  EXPECT_TRUE(channel.push(1));
  EXPECT_TRUE(channel.push(2));
  EXPECT_FALSE(channel.push(3));
  EXPECT_EQ(channel.size(), 2U);
  channel.close();
  Reader reader;
  run(io, drain(channel, reader.got, reader.ended));
  EXPECT_THAT(reader.got, ElementsAre(1, 2));
}

TEST(Channel, AFullOneDropsTheOldest) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 2, Overflow::drop_oldest};
  EXPECT_TRUE(channel.push(1));
  EXPECT_TRUE(channel.push(2));
  EXPECT_FALSE(channel.push(3)) << "something was lost, so that the caller counts it";
  channel.close();
  Reader reader;
  run(io, drain(channel, reader.got, reader.ended));
  EXPECT_THAT(reader.got, ElementsAre(2, 3));
}

TEST(Channel, RoomComesBackAsItemsAreTaken) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 1, Overflow::refuse_newest};
  std::vector<int> got;
  auto body = [&]() -> Task<void> {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(channel.push(i));
      auto item = co_await channel.pop();
      got.push_back(item.value_or(-1));
    }
  };
  run(io, body());
  EXPECT_EQ(got.size(), 100U);
  EXPECT_EQ(got.back(), 99);
}

TEST(Channel, AWaitingReaderWakesForItemsAndForClose) {
  asio::io_context io;
  Channel<std::unique_ptr<int>> channel{io.get_executor(), 4, Overflow::refuse_newest};
  std::vector<std::unique_ptr<int>> got;
  bool ended = false;
  asio::co_spawn(io, drain(channel, got, ended), asio::detached);
  settle(io);
  EXPECT_TRUE(channel.push(std::make_unique<int>(5)));
  settle(io);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(ended);
  channel.close();
  settle(io);
  EXPECT_TRUE(ended);
}

TEST(Channel, EachItemGoesToOneOfManyReaders) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 100, Overflow::refuse_newest};
  std::array<Reader, 3> readers;
  for (auto& reader : readers) asio::co_spawn(io, drain(channel, reader.got, reader.ended), asio::detached);
  settle(io);
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(channel.push(i));
    settle(io);
  }
  channel.close();
  settle(io);
  std::vector<int> all;
  for (const auto& reader : readers) {
    EXPECT_TRUE(reader.ended);
    all.insert(all.end(), reader.got.begin(), reader.got.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 30U);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
}

TEST(Channel, CancellingAReaderLosesNoItem) {
  asio::io_context io;
  Channel<int> channel{io.get_executor(), 4, Overflow::refuse_newest};
  asio::cancellation_signal cancel;
  Reader first;
  std::exception_ptr error;
  asio::co_spawn(io, drain(channel, first.got, first.ended),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { error = e; }));
  settle(io);
  cancel.emit(asio::cancellation_type::all);
  EXPECT_TRUE(channel.push(1)) << "pushed while the reader is on its way out";
  settle(io);
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), boost::system::system_error);
  EXPECT_THAT(first.got, IsEmpty());
  channel.close();
  Reader second;
  run(io, drain(channel, second.got, second.ended));
  EXPECT_THAT(second.got, ElementsAre(1));
}

}  // namespace
}  // namespace ward::async
