#include "probes/net/dns_message.hpp"

#include <gtest/gtest.h>

#include "tests/unit/probes/net/dns_wire.hpp"

namespace ward::probes::dns {
namespace {
using test::DnsWriter;
using test::kAnswerFlags;
using namespace std::string_literals;

TEST(DnsMessage, WritesAQuery) {
  const auto query = encode_query(0x1234, "odoo.example.", Type::aaaa);
  ASSERT_TRUE(query);
  DnsWriter wanted(0x1234, 0x0100, {});
  wanted.question("odoo.example", 28);
  EXPECT_EQ(*query, wanted.bytes);
}

TEST(DnsMessage, RefusesNamesThatAreNone) {
  for (const auto& name : {"a..b"s, "a.."s, ".a"s, std::string(64, 'a'), std::string(254, 'a'), "a b"s, "ä.example"s})
    EXPECT_FALSE(encode_query(1, name, Type::a)) << name;
}

TEST(DnsMessage, ReadsEachRecordType) {
  struct Case {
    unsigned type;
    std::string data, text;
  };
  const std::vector<Case> table{
      {1, "\x0a\0\0\x07"s, "10.0.0.7"},
      {28, std::string(15, '\0') + "\x01", "::1"},
      {5,
       "\x01"
       "b\xc0\x0c"s,
       "b.odoo.example"},
      {15, "\0\x0a\x04mail\0"s, "10 mail"},
      {16, "\x02hi\x05 ward"s, "hi ward"},
      {33, "\0\0\0\x05\x13\xc4\x03sip\0"s, "0 5 5060 sip"},
      {6,
       "\x02ns\0\x05"
       "admin\0\0\0\0\x2a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s,
       "ns 42"},
      {99, "whatever", ""},
  };
  for (const auto& [type, data, text] : table) {
    DnsWriter message(7, kAnswerFlags, {1, 1, 0, 0});
    message.question("odoo.example", type).record(type, data);
    const auto reply = parse_reply(message.bytes);
    ASSERT_TRUE(reply) << type;
    ASSERT_EQ(reply->answers.size(), 1U);
    EXPECT_EQ(reply->answers[0], (Record{"odoo.example", static_cast<std::uint16_t>(type), 300, text}));
  }
}

TEST(DnsMessage, TakesTheSerialFromTheAuthoritySection) {
  DnsWriter message(7, kAnswerFlags | 3, {1, 0, 1, 0});
  message.question("gone.example", 1).record(6, "\x02ns\0\x01m\0\0\0\x01\0"s + std::string(16, '\0'));
  const auto reply = parse_reply(message.bytes);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rcode, 3);
  EXPECT_EQ(reply->serial, 256U);
  EXPECT_EQ(reply->authority_count, 1);
}

TEST(DnsMessage, RefusesWhatDoesNotHoldTogether) {
  DnsWriter good(7, kAnswerFlags, {1, 1, 0, 0});
  good.question("odoo.example", 1).record(1, "\x0a\0\0\x07"s);
  for (std::size_t size = 0; size < good.bytes.size(); ++size)
    EXPECT_FALSE(parse_reply(std::span(good.bytes).first(size))) << "cut after " << size;

  const auto refused = [](DnsWriter message) { return !parse_reply(message.bytes); };
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {}).u16(0xc00c).u16(1).u16(1))) << "a pointer to itself";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {}).u16(0xc0ff).u16(1).u16(1))) << "a pointer forwards";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {}).u8(0x80).u16(1).u16(1))) << "an unknown label kind";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {2, 0, 0, 0}).question("a", 1).question("b", 1))) << "two questions";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {1, 1, 0, 0}).question("a", 1).record(1, "\x0a\0\0"s)))
      << "a short address";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {1, 1, 0, 0}).question("a", 16).record(16, "\x09short"s))) << "a long text";
  EXPECT_TRUE(refused(DnsWriter(1, kAnswerFlags, {1, 65535, 0, 0}).question("a", 1).record(1, "\x0a\0\0\1"s)))
      << "missing records";
}

TEST(DnsMessage, NamesGrowNoFurtherThanAllowed) {
  // Each name is "x" * 63 before a pointer to the one before: a few steps pass 253 characters.
  DnsWriter message(1, kAnswerFlags, {1, 0, 0, 0});
  message.name(std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x'));
  message.u16(1).u16(1);
  EXPECT_FALSE(parse_reply(message.bytes));
}

TEST(DnsMessage, MakesUntrustedBytesPrintable) {
  DnsWriter message(7, kAnswerFlags, {1, 1, 0, 0});
  message.question("odoo.example", 16)
      .record(16,
              "\x03"
              "a\nb"s);
  EXPECT_EQ(parse_reply(message.bytes)->answers.at(0).text, "a?b");
}

}  // namespace
}  // namespace ward::probes::dns
