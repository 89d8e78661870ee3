#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/pki/pki.hpp"

namespace ward::pki {
namespace {

using testing::HasSubstr;

const Validity kAlways{from_ms(0), from_ms(1'000'000'000'000)};

std::string agent_failure(const std::string& agent, const std::vector<std::string>& tenants) {
  std::vector<TenantId> ids;
  for (const auto& tenant : tenants) ids.emplace_back(tenant);
  const auto spec = agent_leaf(AgentId{agent}, ids, kAlways);
  return spec ? "(accepted)" : describe(spec.error());
}

TEST(AgentLeaf, RefusesNamesThatCouldMeanSomethingElse) {
  for (const auto* bad : {"", "a/b", "Node", "-a", "a_b", "a b", "_collector", "a%2fb", "../x", "a:b"}) {
    EXPECT_THAT(agent_failure(bad, {"t"}), HasSubstr("agent name '" + std::string(bad) + "' is not allowed")) << bad;
    EXPECT_THAT(agent_failure("a", {"t", bad}), HasSubstr("tenant name '" + std::string(bad) + "' is not allowed")) << bad;
  }
}

TEST(AgentLeaf, NeedsATenantAndEachOnce) {
  EXPECT_EQ(agent_failure("a", {}), "agent 'a' has no tenant. Name one with --tenant.");
  EXPECT_EQ(agent_failure("a", {"t", "t"}), "tenant 't' is given twice. Name it once.");
  EXPECT_EQ(agent_failure("a", {"t", "u"}), "(accepted)");
}

TEST(CollectorLeaf, RefusesWhatNoAgentCanConnectTo) {
  EXPECT_EQ(describe(collector_leaf("main", {}, kAlways).error()),
            "collector 'main' has no host name. Name what agents connect to with --name.");
  for (const auto* bad : {"", "a b", "https://x", "a..b", ".a", "a.", "*.example", "10.0.0.7:9800", "a,b"})
    EXPECT_THAT(describe(collector_leaf("main", {bad}, kAlways).error()), HasSubstr("is neither a host name nor an address"))
        << bad;
  for (const auto* good : {"localhost", "Ward.Example", "10.0.0.7", "::1", "a-b.c"})
    EXPECT_TRUE(collector_leaf("main", {good}, kAlways)) << good;
}

}  // namespace
}  // namespace ward::pki
