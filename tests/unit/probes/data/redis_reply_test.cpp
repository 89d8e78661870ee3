#include "probes/data/redis_reply.hpp"

#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

using Kind = RedisReply::Kind;

TEST(RedisReplyReader, ReadsEveryKindByteByByte) {
  RedisReplyReader reader;
  const std::string_view wire = "+OK\r\n-ERR no\r\n:42\r\n$3\r\na\r\n\r\n$-1\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n";
  std::vector<RedisReply> replies;
  for (const char byte : wire) {
    ASSERT_TRUE(reader.feed({&byte, 1}));
    auto reply = reader.next();
    ASSERT_TRUE(reply);
    if (*reply) replies.push_back(**reply);
  }
  ASSERT_EQ(replies.size(), 6U);
  EXPECT_EQ(replies[0], (RedisReply{Kind::text, "OK", 0, {}}));
  EXPECT_EQ(replies[1], (RedisReply{Kind::error, "ERR no", 0, {}}));
  EXPECT_EQ(replies[2], (RedisReply{Kind::integer, "", 42, {}}));
  EXPECT_EQ(replies[3], (RedisReply{Kind::text, "a\r\n", 0, {}}));
  EXPECT_EQ(replies[4].kind, Kind::nil);
  ASSERT_EQ(replies[5].items.size(), 2U);
  EXPECT_EQ(replies[5].items[1].items[0].text, "x");
}

TEST(RedisReplyReader, RefusesWhatIsNotRedis) {
  for (const std::string_view wire : {"HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x03\x00\x02\x02\x28", "!\r\n", "$-5\r\n",
                                      "*-7\r\n", ":4x2\r\n", "$999999999999999999999\r\n"}) {
    RedisReplyReader reader;
    ASSERT_TRUE(reader.feed(wire));
    const auto reply = reader.next();
    EXPECT_FALSE(reply) << wire;
  }
}

TEST(RedisReplyReader, RefusesAnAnswerWithoutEnd) {
  RedisReplyReader reader;
  ASSERT_TRUE(reader.feed("$999999999\r\n"));
  const std::string chunk(1 << 20, 'x');
  Status fed;
  for (int i = 0; i < 9 && fed; ++i) fed = reader.feed(chunk);
  EXPECT_FALSE(fed);
}

TEST(RedisReplyReader, RefusesListsThatNoProbeAsksForBeforeItTakesMemoryForThem) {
  std::string nested;
  for (int i = 0; i < 4; ++i) nested += "*40000\r\n";
  for (const std::string& wire : {std::string("*1073741824\r\n"), std::string("*100001\r\n"), nested}) {
    RedisReplyReader reader;
    ASSERT_TRUE(reader.feed(wire));
    EXPECT_FALSE(reader.next()) << wire;
  }
  RedisReplyReader reader;
  for (int answer = 0; answer < 3; ++answer) {
    std::string fits = "*50000\r\n";
    for (int i = 0; i < 50'000; ++i) fits += ":1\r\n";
    ASSERT_TRUE(reader.feed(fits));
    const auto reply = reader.next();
    ASSERT_TRUE(reply && *reply) << "each answer counts anew";
    EXPECT_EQ((*reply)->items.size(), 50'000U);
  }
}

TEST(RedisRequest, IsOnePipelineOfBulkStrings) {
  const std::vector<std::vector<std::string>> commands{{"INFO", "everything"}, {"PING"}};
  EXPECT_EQ(redis_request(commands), "*2\r\n$4\r\nINFO\r\n$10\r\neverything\r\n*1\r\n$4\r\nPING\r\n");
}

}  // namespace
}  // namespace ward::probes::data
