// Which message a body holds, and how it is unpacked without trust in what it says of itself.
#include "common/remote_write/content.hpp"

#include <gtest/gtest.h>
#include <snappy.h>

namespace ward::remote_write {
namespace {

struct Accepted {
  std::string_view type, encoding;
  Message message;
};

TEST(ContentType, NamesTheMessage) {
  for (const auto& [type, encoding, message] : std::initializer_list<Accepted>{
           {"", "", Message::v1},
           {"application/x-protobuf", "snappy", Message::v1},
           {"Application/X-Protobuf", "Snappy", Message::v1},
           {"application/x-protobuf;proto=prometheus.WriteRequest", "snappy", Message::v1},
           {"application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", Message::v2},
           {"application/x-protobuf ; charset=x; Proto=\"io.prometheus.write.v2.Request\"", " snappy ", Message::v2},
       }) {
    const auto found = message_of(type, encoding);
    ASSERT_TRUE(found) << type;
    EXPECT_EQ(*found, message) << type;
  }
}

TEST(ContentType, RefusesWhatIsNotKnown) {
  for (const auto& [type, encoding] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"application/json", "snappy"},
           {"application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy"},
           {"application/x-protobuf;proto=", "snappy"},
           {"application/x-protobuf", "gzip"},
           {"application/x-protobuf", "zstd"},
           {";proto=prometheus.WriteRequest", "snappy"},
       })
    EXPECT_FALSE(message_of(type, encoding)) << type << " " << encoding;
}

TEST(Unpack, GivesBackWhatWasPacked) {
  const std::string text(100'000, 'w');
  std::string body;
  snappy::Compress(text.data(), text.size(), &body);
  EXPECT_EQ(claimed_size(body), text.size());
  EXPECT_EQ(unpack(body, text.size()).value(), text);
}

TEST(Unpack, RefusesAClaimAboveTheLimitWithoutUnpackingIt) {
  // Claims 4 GiB - 1 in five bytes.
  const std::string claim("\xff\xff\xff\xff\x0f", 5);
  const auto unpacked = unpack(claim, 1 << 20);
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().code, Errc::overloaded);
  EXPECT_EQ(unpacked.error().what, "the body unpacks to 4294967295 bytes, more than the 1048576 that are taken");
}

TEST(Unpack, RefusesWhatIsNotSnappy) {
  for (const auto& body : {std::string(), std::string("\xff\xff\xff\xff\xff\xff"), std::string("\x05hello"),
                           std::string("\xff\x06\x00\x00sNaPpY", 10)}) {
    const auto unpacked = unpack(body, 1 << 20);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().code, Errc::invalid);
  }
}

}  // namespace
}  // namespace ward::remote_write
