#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <set>

#include "cli/pki/openssl.hpp"
#include "cli/pki/pki.hpp"

namespace ward::pki {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Time kNow = from_ms(1'795'344'127'000);  // 2026-11-22T10:42:07Z

KeyPair authority(const std::string& name = "Test CA") { return make_authority(name, valid_for(kNow, kCaDays)).value(); }

LeafSpec agent() {
  const std::vector<TenantId> tenants{TenantId{"clinic-a"}, TenantId{"clinic-b"}};
  return agent_leaf(AgentId{"node-1"}, tenants, valid_for(kNow, kLeafDays)).value();
}

/// OpenSSL's own verdict: X509_V_OK or the reason, as a TLS peer would find it.
std::string verdict(const std::string& leaf_pem, const std::string& ca_pem, int purpose, Time at = kNow) {
  const auto leaf = parse_certificate(leaf_pem).value();
  const auto ca = parse_certificate(ca_pem).value();
  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), &X509_STORE_free);
  X509_STORE_add_cert(store.get(), ca.get());
  const std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time(context.get(), 0, to_ms(at) / 1000);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context.get());
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

TEST(Authority, SignsOnlyLeavesAndSaysSo) {
  const auto info = inspect(authority("Clinic CA").certificate).value();
  EXPECT_EQ(info.subject, "Clinic CA");
  EXPECT_EQ(info.issuer, "Clinic CA");
  EXPECT_TRUE(info.is_authority);
  EXPECT_EQ(info.usage, Usage::none);
  EXPECT_EQ(info.validity, (Validity{kNow - 5min, kNow + std::chrono::days{3650}}));
}

TEST(Leaf, OfAnAgentNamesEachTenantAndServesAsClientOnly) {
  const auto ca = authority();
  const auto leaf = issue(ca, agent()).value();
  const auto info = inspect(leaf.certificate).value();
  EXPECT_THAT(info.uris, ElementsAre("ward://clinic-a/node-1", "ward://clinic-b/node-1"));
  EXPECT_TRUE(info.hosts.empty());
  EXPECT_EQ(info.usage, Usage::client);
  EXPECT_EQ(info.issuer, "Test CA");
  EXPECT_FALSE(info.is_authority);
  EXPECT_EQ(info.validity.not_after, kNow + std::chrono::days{365});
  EXPECT_EQ(verdict(leaf.certificate, ca.certificate, X509_PURPOSE_SSL_CLIENT), "ok");
  EXPECT_NE(verdict(leaf.certificate, ca.certificate, X509_PURPOSE_SSL_SERVER), "ok");
}

TEST(Leaf, OfACollectorCarriesItsHostsAndServesBothWays) {
  const auto ca = authority();
  const auto spec = collector_leaf("main", {"ward.example", "10.0.0.7", "2001:db8::1"}, valid_for(kNow, kLeafDays)).value();
  const auto leaf = issue(ca, spec).value();
  const auto info = inspect(leaf.certificate).value();
  EXPECT_THAT(info.uris, ElementsAre("ward://_collector/main"));
  EXPECT_THAT(info.hosts, ElementsAre("ward.example", "10.0.0.7", "2001:db8::1"));
  EXPECT_EQ(info.usage, Usage::both);
  for (const int purpose : {X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER})
    EXPECT_EQ(verdict(leaf.certificate, ca.certificate, purpose), "ok");
  const auto x509 = parse_certificate(leaf.certificate).value();
  EXPECT_EQ(X509_check_host(x509.get(), "ward.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(x509.get(), "10.0.0.7", 0), 1);
  EXPECT_EQ(X509_check_host(x509.get(), "main", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr), 0);
}

TEST(Leaf, IsAsBadAsATestAsksFor) {
  const auto ca = authority();
  auto no_usage = agent();
  no_usage.usage = Usage::none;
  EXPECT_EQ(inspect(issue(ca, no_usage)->certificate)->usage, Usage::none);
  auto expired = agent();
  expired.validity = {kNow - 48h, kNow - 24h};
  EXPECT_EQ(verdict(issue(ca, expired)->certificate, ca.certificate, X509_PURPOSE_SSL_CLIENT), "certificate has expired");
  auto early = agent();
  early.validity = {kNow + 24h, kNow + 48h};
  EXPECT_EQ(verdict(issue(ca, early)->certificate, ca.certificate, X509_PURPOSE_SSL_CLIENT), "certificate is not yet valid");
  EXPECT_NE(verdict(issue(authority("Other CA"), agent())->certificate, ca.certificate, X509_PURPOSE_SSL_CLIENT), "ok");
  auto nameless = agent();
  nameless.uris.clear();
  EXPECT_TRUE(inspect(issue(ca, nameless)->certificate)->uris.empty());
}

TEST(Leaf, IsNotTrustedUnderAnotherAuthorityOfTheSameName) {
  EXPECT_NE(verdict(issue(authority("CA"), agent())->certificate, authority("CA").certificate, X509_PURPOSE_SSL_CLIENT),
            "ok");
}

TEST(Leaf, KeepsANameThatLooksLikeOpenSslSyntaxAsOneName) {
  auto spec = agent();
  spec.uris = {"ward://a/b,DNS:evil.example"};
  spec.hosts = {"good.example,IP:10.0.0.1"};
  const auto info = inspect(issue(authority(), spec)->certificate).value();
  EXPECT_THAT(info.uris, ElementsAre("ward://a/b,DNS:evil.example"));
  EXPECT_THAT(info.hosts, ElementsAre("good.example,IP:10.0.0.1"));
}

TEST(Leaf, HasASerialOfItsOwn) {
  const auto ca = authority();
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    const auto info = inspect(issue(ca, agent())->certificate).value();
    EXPECT_EQ(info.serial.size(), 40U);
    EXPECT_LT(info.serial.front(), '8') << "a serial must be positive";
    serials.insert(info.serial);
  }
  EXPECT_EQ(serials.size(), 20U);
}

TEST(Issue, RefusesAnAuthorityWhoseKeyIsAnothers) {
  const KeyPair mixed{authority().certificate, authority().key};
  EXPECT_EQ(describe(issue(mixed, agent()).error()),
            "the authority's key does not belong to its certificate. Use the pair that was made together.");
}

TEST(Issue, RefusesWhatIsNotPem) {
  const auto good = authority();
  for (const auto& bad : {std::string{}, std::string{"hello"}, good.certificate.substr(0, 200), good.key.reveal()}) {
    EXPECT_EQ(issue({bad, good.key}, agent()).error().code, Errc::invalid);
    EXPECT_EQ(inspect(bad).error().what, "this is not a PEM certificate");
  }
  const auto refused = issue({good.certificate, Secret{"canary"}}, agent());
  EXPECT_THAT(describe(refused.error()), HasSubstr("not an unencrypted PEM private key"));
  EXPECT_THAT(describe(refused.error()), testing::Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace ward::pki
