#include "common/http/url.hpp"

#include <gtest/gtest.h>

namespace ward::http {
namespace {

TEST(Url, TakesThePartsApart) {
  const auto url = parse_url("https://Odoo.Example:8443/web/health?db=clinic&token=secret#top");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "odoo.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->without_query.find("secret"), std::string::npos);
  EXPECT_TRUE(url->without_query.ends_with("/web/health"));
}

TEST(Url, KnowsDefaultPortsAndBrackets) {
  EXPECT_EQ(parse_url("http://a/")->port, 80);
  EXPECT_EQ(parse_url("https://a/")->port, 443);
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host_port(), "[::1]:81");
}

TEST(Url, RefusesWithoutRepeatingTheText) {
  for (const auto* text :
       {"", "ftp://host/", "file:///etc/passwd", "http://", "http://user@host/", "https://user:hunter2@host/",
        "http://ho st/", "http://host/\r\nX: y", "gopher://host", "http://host:99999/", "host.example/path hunter2"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(describe(url.error()).find("hunter2"), std::string::npos);
  }
}

TEST(Url, ResolvesALocation) {
  const std::string base = "https://odoo.example/web/login?next=1";
  EXPECT_EQ(*resolve_reference(base, "/web"), "https://odoo.example/web");
  EXPECT_EQ(*resolve_reference(base, "health"), "https://odoo.example/web/health");
  EXPECT_EQ(*resolve_reference(base, "//other.example/x"), "https://other.example/x");
  EXPECT_EQ(*resolve_reference(base, "http://other.example/#part"), "http://other.example/");
}

}  // namespace
}  // namespace ward::http
