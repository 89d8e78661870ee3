#include "common/net/identity.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace ward::net {
namespace {

using Uris = std::vector<std::string>;

TEST(Identity, TakesTenantAndAgentFromTheUri) {
  const Uris uris{"ward://clinic-a/node-1"};
  const auto peer = identity_from_uris(PeerRole::agent, uris);
  ASSERT_TRUE(peer);
  EXPECT_EQ(*peer, (PeerIdentity{AgentId{"node-1"}, {TenantId{"clinic-a"}}}));
}

TEST(Identity, KeepsEveryTenantOfASharedNodeOnce) {
  const Uris uris{"ward://clinic-a/node-1", "spiffe://other/world", "ward://clinic-b/node-1", "ward://clinic-a/node-1"};
  const auto peer = identity_from_uris(PeerRole::agent, uris);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->tenants, (std::vector{TenantId{"clinic-a"}, TenantId{"clinic-b"}}));
}

TEST(Identity, TakesACollectorsNameWithoutTenants) {
  const Uris uris{"ward://_collector/main"};
  const auto peer = identity_from_uris(PeerRole::collector, uris);
  ASSERT_TRUE(peer);
  EXPECT_EQ(*peer, (PeerIdentity{AgentId{"main"}, {}}));
}

TEST(Identity, RefusesWhatAnAgentMayNotShow) {
  const std::vector<Uris> table{
      {},
      {"spiffe://clinic-a/node-1"},
      {"WARD://clinic-a/node-1"},
      {"ward://clinic-a"},
      {"ward:///node-1"},
      {"ward://clinic-a/"},
      {"ward://clinic-a/node-1/extra"},
      {"ward://clinic-a/node-1?x=1"},
      {"ward://Clinic/node-1"},
      {"ward://clinic-a/node 1"},
      {"ward://../node-1"},
      {std::string("ward://clinic-a/node-1\0evil", 27)},
      {"ward://" + std::string(64, 'a') + "/node-1"},
      {"ward://clinic-a/node-1", "ward://clinic-b/node-2"},
      {"ward://clinic-a/node-1", "ward://broken"},
      {"ward://_collector/main"},
      {"ward://clinic-a/node-1", "ward://_collector/node-1"},
  };
  for (const auto& uris : table) {
    const auto peer = identity_from_uris(PeerRole::agent, uris);
    ASSERT_FALSE(peer) << (uris.empty() ? "none" : uris.back());
    EXPECT_EQ(peer.error().code, Errc::denied);
    EXPECT_FALSE(peer.error().fix.empty());
  }
}

TEST(Identity, RefusesAnAgentInACollectorsPlace) {
  const Uris uris{"ward://clinic-a/node-1"};
  const auto peer = identity_from_uris(PeerRole::collector, uris);
  ASSERT_FALSE(peer);
  EXPECT_NE(peer.error().what.find("agent's certificate"), std::string::npos);
}

}  // namespace
}  // namespace ward::net
