#include "common/model/ids.hpp"

#include <gmock/gmock.h>

namespace ward {
namespace {

TEST(Names, MayBeWhatFitsCertificatesLabelsAndPaths) {
  for (const std::string& good :
       {std::string("a"), std::string("9"), std::string("clinic-a"), std::string("node-1.example"), std::string(63, 'x')})
    EXPECT_TRUE(check_name("tenant", good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("A"), std::string("a_b"), std::string("-a"), std::string("a-"), std::string(".a"),
        std::string("a."), std::string("a b"), std::string("a/b"), std::string(".."), std::string("ä"), std::string("a\n"),
        std::string(64, 'x'), std::string("a\0b", 3)}) {
    const auto refused = check_name("tenant", bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_THAT(refused.error().what, testing::StartsWith("tenant name '"));
    EXPECT_THAT(refused.error().fix, testing::HasSubstr("63"));
  }
}

TEST(Names, AHugeOneIsNotRepeatedInTheError) {
  EXPECT_LT(check_name("agent", std::string(100'000, 'x')).error().what.size(), 200U);
}

TEST(Incarnation, PrintsAllItsBytes) {
  Incarnation life;
  for (std::uint8_t i = 0; i < 16; ++i) life.bytes[i] = static_cast<std::uint8_t>(i * 17);
  EXPECT_EQ(to_string(life), "00112233445566778899aabbccddeeff");
}

TEST(PeerIdentity, SpeaksOnlyForTheTenantsItsCertificateLists) {
  const PeerIdentity peer{AgentId{"node-1"}, {TenantId{"a"}, TenantId{"b"}}};
  EXPECT_TRUE(peer.may_speak_for(TenantId{"b"}));
  EXPECT_FALSE(peer.may_speak_for(TenantId{"c"}));
  EXPECT_FALSE(peer.may_speak_for(TenantId{""}));
  EXPECT_FALSE(PeerIdentity{}.may_speak_for(TenantId{"a"}));
}

}  // namespace
}  // namespace ward
