#include "common/net/endpoint.hpp"

#include <gtest/gtest.h>

namespace ward::net {
namespace {

TEST(Endpoint, ReadsWhatItWrites) {
  for (const auto* text : {"collector.example:7443", "10.0.0.1:1", "[::1]:65535", "localhost:0"}) {
    const auto read = parse_endpoint(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(to_string(*read), text);
  }
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
  for (const auto* text : {"", ":", "host", "host:", ":7443", "host:65536", "host:-1", "host:7443x", "::1:7443", "[]:1",
                           "a b:1", "user@host:1", "https://host:1", "host:1/path", "[::1:7443"}) {
    const auto read = parse_endpoint(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::invalid);
  }
}

}  // namespace
}  // namespace ward::net
